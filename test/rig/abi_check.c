/* abi_check.c — our numbers and layouts against <dahdi/user.h> of the driver that a guest runs. Compiles, or names
 * what differs; nothing of it is ever run. */
#include <dahdi/user.h>
#include <errno.h>
#include <stddef.h>

#include "../../native/dahdi_abi.h"

#define SAME(ours, theirs) _Static_assert((ours) == (theirs), #theirs)
#define SAME_FIELD(ours, theirs, field)                                                                           \
  _Static_assert(offsetof(struct ours, field) == offsetof(struct theirs, field) &&                                \
                     sizeof(((struct ours *)0)->field) == sizeof(((struct theirs *)0)->field),                    \
                 #theirs "." #field)

SAME(sizeof(struct dahdi_abi_params), sizeof(struct dahdi_params));
SAME_FIELD(dahdi_abi_params, dahdi_params, channo);
SAME_FIELD(dahdi_abi_params, dahdi_params, sigtype);
SAME_FIELD(dahdi_abi_params, dahdi_params, sigcap);
SAME_FIELD(dahdi_abi_params, dahdi_params, rxisoffhook);
SAME_FIELD(dahdi_abi_params, dahdi_params, rxhooksig);
SAME_FIELD(dahdi_abi_params, dahdi_params, curlaw);
SAME_FIELD(dahdi_abi_params, dahdi_params, name);
SAME_FIELD(dahdi_abi_params, dahdi_params, rxflashtime);
SAME_FIELD(dahdi_abi_params, dahdi_params, chan_alarms);
SAME(sizeof(struct dahdi_abi_bufferinfo), sizeof(struct dahdi_bufferinfo));
SAME_FIELD(dahdi_abi_bufferinfo, dahdi_bufferinfo, txbufpolicy);
SAME_FIELD(dahdi_abi_bufferinfo, dahdi_bufferinfo, rxbufpolicy);
SAME_FIELD(dahdi_abi_bufferinfo, dahdi_bufferinfo, numbufs);
SAME_FIELD(dahdi_abi_bufferinfo, dahdi_bufferinfo, bufsize);
SAME(sizeof(struct dahdi_abi_ring_cadence), sizeof(struct dahdi_ring_cadence));

SAME(DAHDI_ABI_FLUSH, DAHDI_FLUSH);
SAME(DAHDI_ABI_GET_PARAMS, DAHDI_GET_PARAMS);
SAME(DAHDI_ABI_SET_PARAMS, DAHDI_SET_PARAMS);
SAME(DAHDI_ABI_HOOK, DAHDI_HOOK);
SAME(DAHDI_ABI_GETEVENT, DAHDI_GETEVENT);
SAME(DAHDI_ABI_GETTONEZONE, DAHDI_GETTONEZONE);
SAME(DAHDI_ABI_SETTONEZONE, DAHDI_SETTONEZONE);
SAME(DAHDI_ABI_SET_BUFINFO, DAHDI_SET_BUFINFO);
SAME(DAHDI_ABI_ECHOCANCEL, DAHDI_ECHOCANCEL);
SAME(DAHDI_ABI_SPECIFY, DAHDI_SPECIFY);
SAME(DAHDI_ABI_SETLINEAR, DAHDI_SETLINEAR);
SAME(DAHDI_ABI_SETCADENCE, DAHDI_SETCADENCE);
SAME(DAHDI_ABI_BUFFER_EVENTS, DAHDI_BUFFER_EVENTS);
SAME(DAHDI_ABI_ONHOOKTRANSFER, DAHDI_ONHOOKTRANSFER);
SAME(DAHDI_ABI_SETPOLARITY, DAHDI_SETPOLARITY);
SAME(DAHDI_ABI_VMWI, DAHDI_VMWI);
SAME(DAHDI_ABI_VMWI_CONFIG, DAHDI_VMWI_CONFIG);
SAME(DAHDI_ABI_VMWI_LREV, DAHDI_VMWI_LREV);
SAME(DAHDI_ABI_VMWI_HVDC, DAHDI_VMWI_HVDC);
SAME(DAHDI_ABI_VMWI_HVAC, DAHDI_VMWI_HVAC);

SAME(DAHDI_ABI_POLICY_IMMEDIATE, DAHDI_POLICY_IMMEDIATE);
SAME(DAHDI_ABI_ONHOOK, DAHDI_ONHOOK);
SAME(DAHDI_ABI_OFFHOOK, DAHDI_OFFHOOK);
SAME(DAHDI_ABI_RING, DAHDI_RING);
SAME(DAHDI_ABI_RINGOFF, DAHDI_RINGOFF);
SAME(DAHDI_ABI_FLUSH_WRITE, DAHDI_FLUSH_WRITE);
SAME(DAHDI_ABI_FLUSH_ALL, DAHDI_FLUSH_ALL);
SAME(DAHDI_ABI_EVENT_NONE, DAHDI_EVENT_NONE);
SAME(DAHDI_ABI_EVENT_ONHOOK, DAHDI_EVENT_ONHOOK);
SAME(DAHDI_ABI_EVENT_RINGOFFHOOK, DAHDI_EVENT_RINGOFFHOOK);
SAME(DAHDI_ABI_EVENT_WINKFLASH, DAHDI_EVENT_WINKFLASH);
SAME(DAHDI_ABI_EVENT_ALARM, DAHDI_EVENT_ALARM);
SAME(DAHDI_ABI_EVENT_NOALARM, DAHDI_EVENT_NOALARM);
SAME(DAHDI_ABI_EVENT_PULSE_START, DAHDI_EVENT_PULSE_START);
SAME(DAHDI_ABI_EVENT_REMOVED, DAHDI_EVENT_REMOVED);
SAME(DAHDI_ABI_EVENT_READ_OVERRUN, DAHDI_EVENT_READ_OVERRUN);
SAME(DAHDI_ABI_EVENT_WRITE_UNDERRUN, DAHDI_EVENT_WRITE_UNDERRUN);
SAME(DAHDI_ABI_EVENT_PULSEDIGIT, DAHDI_EVENT_PULSEDIGIT);
SAME(DAHDI_ABI_SIG_FXOLS, DAHDI_SIG_FXOLS);
SAME(DAHDI_ABI_SIG_FXOGS, DAHDI_SIG_FXOGS);
SAME(DAHDI_ABI_SIG_FXOKS, DAHDI_SIG_FXOKS);
SAME(DAHDI_ABI_ALARM_NOTOPEN, DAHDI_ALARM_NOTOPEN);
SAME(DAHDI_ABI_ELAST, ELAST);
