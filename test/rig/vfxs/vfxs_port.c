// SPDX-License-Identifier: GPL-2.0
/* One port and the telephone on its loop. */
#include <linux/vmalloc.h>

#include "vfxs.h"

int vfxs_port_init(struct vfxs_port *port)
{
	port->mic = vzalloc(VFXS_MIC_SAMPLES * sizeof(s16));
	port->ear = vzalloc(VFXS_EAR_SAMPLES * sizeof(s16));
	return port->mic && port->ear ? 0 : -ENOMEM;
}

void vfxs_port_free(struct vfxs_port *port)
{
	vfree(port->mic);
	vfree(port->ear);
}

/* The card forgets; the telephone stays as it lies. */
void vfxs_port_power_on(struct vfxs_port *port)
{
	port->settled_lifted = false;
	port->debounce_left_ms = 0;
	port->txsig = DAHDI_TXSIG_ONHOOK;
	port->bell = false;
	port->vmwi_messages = port->reversed = port->onhook_transfer_ms = 0;
	port->hwgain_tx = port->hwgain_rx = 0;
}

static void note(struct vfxs_log *log, bool on)
{
	log->edges[log->count++ % VFXS_LOG] = (struct vfxs_edge){ .ns = ktime_get_ns(), .on = on };
}

/* A bell sounds where ringing current flows and the telephone is on-hook. */
static void update_bell(struct vfxs_port *port)
{
	bool bell = port->txsig == DAHDI_TXSIG_START && !port->lifted && port->fault == VFXS_FAULT_NONE;

	if (bell == port->bell)
		return;
	port->bell = bell;
	note(&port->bell_log, bell);
}

static void run_script(struct vfxs_port *port)
{
	while (port->step < port->step_count) {
		const struct vfxs_step *step = &port->steps[port->step];

		if (port->step_left_ms == 0) {
			if (port->lifted != step->lifted)
				note(&port->hook_log, step->lifted);
			port->lifted = step->lifted;
			if (step->ms == 0) {
				port->step++;
				continue;
			}
			port->step_left_ms = step->ms;
		}
		if (--port->step_left_ms > 0)
			return;
		port->step++;
		return;
	}
}

enum vfxs_change vfxs_port_tick(struct vfxs_port *port)
{
	bool seen;

	run_script(port);
	update_bell(port);
	if (port->fault == VFXS_FAULT_NO_BATTERY || port->txsig == DAHDI_TXSIG_KEWL)
		seen = false; /* no current, no hook */
	else
		seen = port->lifted || port->fault == VFXS_FAULT_SHORT;
	if (seen == port->settled_lifted) {
		port->debounce_left_ms = vfxs_debounce_ms;
		return VFXS_UNCHANGED;
	}
	if (port->debounce_left_ms > 0 && --port->debounce_left_ms > 0)
		return VFXS_UNCHANGED;
	port->settled_lifted = seen;
	return seen ? VFXS_LIFTED : VFXS_HUNG_UP;
}

void vfxs_port_signal(struct vfxs_port *port, enum dahdi_txsig txsig)
{
	port->txsig = txsig;
	update_bell(port);
}

static s16 saturated(s32 value)
{
	return clamp_t(s32, value, -32768, 32767);
}

/* writechunk has come from DAHDI, readchunk goes to it. */
void vfxs_port_audio(struct vfxs_port *port)
{
	struct dahdi_chan *chan = port->chan;
	bool fed = port->txsig != DAHDI_TXSIG_KEWL && port->fault == VFXS_FAULT_NONE;
	bool talking = port->lifted && fed;
	/* A display listens on-hook; the SLIC lets it hear in on-hook transfer, and not while it rings. */
	bool listening = fed && !port->lifted && port->txsig != DAHDI_TXSIG_START && port->onhook_transfer_ms > 0;
	int i;

	for (i = 0; i < DAHDI_CHUNKSIZE; i++) {
		s16 sent = DAHDI_XLAW(chan->writechunk[i], chan);
		s32 received = 0;

		if (talking || listening)
			port->ear[port->ear_written++ & (VFXS_EAR_SAMPLES - 1)] = sent;
		if (talking && port->mic_read < port->mic_written)
			received = port->mic[port->mic_read++ & (VFXS_MIC_SAMPLES - 1)];
		received += (sent * port->echo) / VFXS_ONE;
		chan->readchunk[i] = DAHDI_LIN2X(saturated(received), chan);
	}
	if (port->onhook_transfer_ms > 0)
		port->onhook_transfer_ms--;
}

/* Tip, ring, battery: negative to ground, as wctdm's ProSLIC reads them. */
void vfxs_port_volts(const struct vfxs_port *port, s32 mv[3])
{
	if (port->volts_set) {
		mv[0] = port->tip_mv;
		mv[1] = port->ring_mv;
		mv[2] = port->battery_mv;
	} else if (port->fault == VFXS_FAULT_NO_BATTERY || port->txsig == DAHDI_TXSIG_KEWL) {
		mv[0] = mv[1] = mv[2] = 0;
	} else if (port->fault == VFXS_FAULT_SHORT) {
		mv[0] = mv[1] = -24000;
		mv[2] = -50000;
	} else if (port->lifted) {
		mv[0] = -19000;
		mv[1] = -27500;
		mv[2] = -50000;
	} else {
		mv[0] = port->reversed ? -49500 : -1500;
		mv[1] = port->reversed ? -1500 : -49500;
		mv[2] = -52000;
	}
}
