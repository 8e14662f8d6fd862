/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vfxs — a virtual FXS card for tests: a DAHDI span of analog ports, each with a telephone that debugfs moves.
 *
 *   vfxs_card.c     the span: registration, the 1 ms tick, what DAHDI asks of a card
 *   vfxs_port.c     one port: hook script, debounce, bell, voltage, microphone, ear, hybrid
 *   vfxs_debugfs.c  the hands: files under /sys/kernel/debug/vfxs
 *
 * Never load it on a machine that serves telephones.
 */
#ifndef VFXS_H
#define VFXS_H

#include <linux/kernel.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <dahdi/kernel.h>

#define VFXS_MAX_PORTS     16
#define VFXS_MAX_STEPS     512    /* of one hook script */
#define VFXS_LOG           512    /* remembered edges of hook and bell */
#define VFXS_MIC_SAMPLES   524288 /* 65 s, a power of two */
#define VFXS_EAR_SAMPLES   262144 /* 32 s, a power of two */
#define VFXS_ONE           32768  /* 1.0 of a gain */

enum { VFXS_FAULT_NONE, VFXS_FAULT_NO_BATTERY, VFXS_FAULT_SHORT };

struct vfxs_step {
	bool lifted;
	u32 ms; /* 0: for good */
};

struct vfxs_edge {
	s64 ns; /* CLOCK_MONOTONIC */
	bool on;
};

struct vfxs_log {
	struct vfxs_edge edges[VFXS_LOG];
	u32 count; /* since it was cleared; the oldest fall out */
};

struct vfxs_port {
	struct dahdi_chan *chan;

	/* the telephone */
	struct vfxs_step steps[VFXS_MAX_STEPS];
	u32 step, step_count, step_left_ms;
	bool lifted; /* its contact, bounce and all */
	struct vfxs_log hook_log, bell_log;
	bool bell;
	s16 *mic;
	u64 mic_written, mic_read;
	s16 *ear;
	u64 ear_written;
	s32 echo; /* of what is sent, into what is received; of VFXS_ONE */
	u32 fault;
	s32 tip_mv, ring_mv, battery_mv; /* when volts_set */
	bool volts_set;

	/* the card's side of it */
	u32 debounce_left_ms;
	bool settled_lifted;
	enum dahdi_txsig txsig;
	s32 vmwi_messages, reversed, onhook_transfer_ms, hwgain_tx, hwgain_rx;
};

struct vfxs_card {
	struct dahdi_device *device; /* NULL while unplugged */
	struct dahdi_span span;
	struct dahdi_chan channels[VFXS_MAX_PORTS];
	struct dahdi_chan *channel_list[VFXS_MAX_PORTS];
	struct vfxs_port ports[VFXS_MAX_PORTS];
	u64 ticks, late_ticks;
};

extern struct vfxs_card vfxs_card;
extern unsigned int vfxs_ports, vfxs_debounce_ms;
/* Guards the telephones; taken inside DAHDI's channel lock, never around a call into DAHDI. */
extern spinlock_t vfxs_lock;

int vfxs_plug(void);
int vfxs_unplug(void);
void vfxs_span_alarm(int alarms);

enum vfxs_change { VFXS_UNCHANGED, VFXS_LIFTED, VFXS_HUNG_UP };
int vfxs_port_init(struct vfxs_port *port);
void vfxs_port_free(struct vfxs_port *port);
void vfxs_port_power_on(struct vfxs_port *port);
/* One millisecond of the loop, then of the audio; both under vfxs_lock. */
enum vfxs_change vfxs_port_tick(struct vfxs_port *port);
void vfxs_port_audio(struct vfxs_port *port);
void vfxs_port_signal(struct vfxs_port *port, enum dahdi_txsig txsig);
void vfxs_port_volts(const struct vfxs_port *port, s32 mv[3]);

int vfxs_debugfs_init(void);
void vfxs_debugfs_exit(void);

#endif
