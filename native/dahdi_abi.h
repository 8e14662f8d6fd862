/*
 * dahdi_abi.h — the kernel's numbers and layouts, as far as we use them: <dahdi/user.h> and wctdm's private
 * ioctl, DAHDI 2.11 to 3.4, where they have never changed. Written down here so that the program builds without
 * DAHDI's headers; the kernel rig compares them with the real ones.
 */
#ifndef DAHDI_ABI_H
#define DAHDI_ABI_H

#include <stdint.h>
#include <sys/ioctl.h>

struct dahdi_abi_params { /* struct dahdi_params */
  int32_t channo, spanno, chanpos, sigtype, sigcap;
  int32_t rxisoffhook;
  int32_t rxbits, txbits, txhooksig, rxhooksig, curlaw, idlebits;
  char name[40];
  int32_t prewinktime, preflashtime, winktime, flashtime, starttime, rxwinktime;
  int32_t rxflashtime; /* ms */
  int32_t debouncetime, pulsebreaktime, pulsemaketime, pulseaftertime;
  uint32_t chan_alarms;
};
_Static_assert(sizeof(struct dahdi_abi_params) == 136, "struct dahdi_params");

struct dahdi_abi_bufferinfo { /* struct dahdi_bufferinfo */
  int32_t txbufpolicy, rxbufpolicy, numbufs, bufsize, readbufs, writebufs;
};
_Static_assert(sizeof(struct dahdi_abi_bufferinfo) == 24, "struct dahdi_bufferinfo");

struct dahdi_abi_wctdm_stats { /* struct wctdm_stats, millivolts */
  int32_t tipvolt, ringvolt, batvolt;
};
_Static_assert(sizeof(struct dahdi_abi_wctdm_stats) == 12, "struct wctdm_stats");

struct dahdi_abi_ring_cadence { /* struct dahdi_ring_cadence: on, off, on, off … in ms */
  int32_t ringcadence[16];
};

struct dahdi_abi_vmwi { /* struct dahdi_vmwi_info */
  uint32_t vmwi_type;
};

#define DAHDI_ABI_CODE            0xDA
#define DAHDI_ABI_SET_BLOCKSIZE   _IOW(DAHDI_ABI_CODE, 1, int)
#define DAHDI_ABI_FLUSH           _IOW(DAHDI_ABI_CODE, 3, int)
#define DAHDI_ABI_GET_PARAMS      _IOWR(DAHDI_ABI_CODE, 5, struct dahdi_abi_params)
#define DAHDI_ABI_SET_PARAMS      _IOW(DAHDI_ABI_CODE, 5, struct dahdi_abi_params)
#define DAHDI_ABI_HOOK            _IOW(DAHDI_ABI_CODE, 7, int)
#define DAHDI_ABI_GETEVENT        _IOR(DAHDI_ABI_CODE, 8, int)
#define DAHDI_ABI_GETTONEZONE     _IOR(DAHDI_ABI_CODE, 22, int)
#define DAHDI_ABI_SETTONEZONE     _IOW(DAHDI_ABI_CODE, 22, int)
#define DAHDI_ABI_SET_BUFINFO     _IOW(DAHDI_ABI_CODE, 27, struct dahdi_abi_bufferinfo)
#define DAHDI_ABI_ECHOCANCEL      _IOW(DAHDI_ABI_CODE, 33, int)
#define DAHDI_ABI_SPECIFY         _IOW(DAHDI_ABI_CODE, 38, int)
#define DAHDI_ABI_SETLINEAR       _IOW(DAHDI_ABI_CODE, 40, int)
#define DAHDI_ABI_SETCADENCE      _IOW(DAHDI_ABI_CODE, 42, struct dahdi_abi_ring_cadence)
#define DAHDI_ABI_ONHOOKTRANSFER  _IOW(DAHDI_ABI_CODE, 51, int)
#define DAHDI_ABI_SETPOLARITY     _IOW(DAHDI_ABI_CODE, 92, int)
#define DAHDI_ABI_VMWI            _IOWR(DAHDI_ABI_CODE, 94, int)
#define DAHDI_ABI_VMWI_CONFIG     _IOW(DAHDI_ABI_CODE, 95, struct dahdi_abi_vmwi)
#define DAHDI_ABI_BUFFER_EVENTS   _IOW(DAHDI_ABI_CODE, 105, int)
#define DAHDI_ABI_WCTDM_GET_STATS _IOR(DAHDI_ABI_CODE, 60, struct dahdi_abi_wctdm_stats)
_Static_assert(DAHDI_ABI_WCTDM_GET_STATS == 0x800CDA3CU, "WCTDM_GET_STATS");

enum { DAHDI_ABI_POLICY_IMMEDIATE = 0 };
enum { DAHDI_ABI_ONHOOK = 0, DAHDI_ABI_OFFHOOK = 1, DAHDI_ABI_RING = 5, DAHDI_ABI_RINGOFF = 6 };
enum { DAHDI_ABI_VMWI_LREV = 1 << 0, DAHDI_ABI_VMWI_HVDC = 1 << 1, DAHDI_ABI_VMWI_HVAC = 1 << 2 };
enum { DAHDI_ABI_FLUSH_WRITE = 2, DAHDI_ABI_FLUSH_ALL = 7 };
enum {
  DAHDI_ABI_EVENT_NONE = 0,
  DAHDI_ABI_EVENT_ONHOOK = 1,
  DAHDI_ABI_EVENT_RINGOFFHOOK = 2,
  DAHDI_ABI_EVENT_WINKFLASH = 3,
  DAHDI_ABI_EVENT_ALARM = 4,
  DAHDI_ABI_EVENT_NOALARM = 5,
  DAHDI_ABI_EVENT_PULSE_START = 14,
  DAHDI_ABI_EVENT_REMOVED = 20,
  DAHDI_ABI_EVENT_READ_OVERRUN = 29,
  DAHDI_ABI_EVENT_WRITE_UNDERRUN = 30,
  DAHDI_ABI_EVENT_PULSEDIGIT = 1 << 16, /* or'd with the ASCII digit */
};
enum {
  DAHDI_ABI_SIG_FXO = 1 << 12, /* signalling of a port that feeds a telephone */
  DAHDI_ABI_SIG_FXOLS = DAHDI_ABI_SIG_FXO | 1 << 3,
  DAHDI_ABI_SIG_FXOGS = DAHDI_ABI_SIG_FXO | 1 << 4,
  DAHDI_ABI_SIG_FXOKS = DAHDI_ABI_SIG_FXO | 1 << 5,
};
enum { DAHDI_ABI_ZONE_DEFAULT = -1 }; /* dahdi-base.c: DEFAULT_TONE_ZONE */
enum { DAHDI_ABI_ALARM_NOTOPEN = 1 << 5 };
#define DAHDI_ABI_ELAST 500 /* errno of read and write while an event is pending */

#endif
