// SPDX-License-Identifier: GPL-2.0
/* The span: what DAHDI sees of the card. */
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfxs.h"

/* wctdm's private ioctl, the same in wctdm24xxp, wcaxx and opvxa1200: millivolts. */
struct wctdm_stats {
	int tipvolt;
	int ringvolt;
	int batvolt;
};
#define WCTDM_GET_STATS _IOR(DAHDI_CODE, 60, struct wctdm_stats)

#define TICK_NS         1000000
#define MOST_TICKS_LATE 2000 /* a machine that stood still for longer has lost audio, as with a card */

struct vfxs_card vfxs_card;
DEFINE_SPINLOCK(vfxs_lock);

unsigned int vfxs_ports = 4;
module_param_named(ports, vfxs_ports, uint, 0444);
MODULE_PARM_DESC(ports, "FXS ports, 1 to 16");
unsigned int vfxs_debounce_ms = 16;
module_param_named(debounce_ms, vfxs_debounce_ms, uint, 0644);
MODULE_PARM_DESC(debounce_ms, "what the hook detector takes to believe a change, as wctdm's");

static DEFINE_MUTEX(plug_mutex);
static struct hrtimer tick_timer;
static struct platform_device *parent;

static struct vfxs_port *port_of(struct dahdi_chan *chan)
{
	return &vfxs_card.ports[chan->chanpos - 1];
}

static int vfxs_hooksig(struct dahdi_chan *chan, enum dahdi_txsig txsig)
{
	unsigned long flags;

	spin_lock_irqsave(&vfxs_lock, flags);
	vfxs_port_signal(port_of(chan), txsig);
	spin_unlock_irqrestore(&vfxs_lock, flags);
	return 0;
}

static int vfxs_get_stats(struct vfxs_port *port, unsigned long data)
{
	struct wctdm_stats stats;
	unsigned long flags;
	s32 mv[3];

	spin_lock_irqsave(&vfxs_lock, flags);
	vfxs_port_volts(port, mv);
	spin_unlock_irqrestore(&vfxs_lock, flags);
	stats = (struct wctdm_stats){ mv[0], mv[1], mv[2] };
	return copy_to_user((void __user *)data, &stats, sizeof(stats)) ? -EFAULT : 0;
}

static int vfxs_ioctl(struct dahdi_chan *chan, unsigned int cmd, unsigned long data)
{
	struct vfxs_port *port = port_of(chan);
	struct dahdi_hwgain gain;
	int value = 0;

	switch (cmd) {
	case WCTDM_GET_STATS:
		return vfxs_get_stats(port, data);
	case DAHDI_SET_HWGAIN:
		if (copy_from_user(&gain, (void __user *)data, sizeof(gain)))
			return -EFAULT;
		if (gain.tx)
			port->hwgain_tx = gain.newgain;
		else
			port->hwgain_rx = gain.newgain;
		return 0;
	case DAHDI_VMWI_CONFIG:
		return 0;
	case DAHDI_VMWI:
	case DAHDI_SETPOLARITY:
	case DAHDI_ONHOOKTRANSFER:
		if (get_user(value, (int __user *)data))
			return -EFAULT;
		break;
	default:
		return -ENOTTY;
	}
	if (cmd == DAHDI_VMWI)
		port->vmwi_messages = value;
	else if (cmd == DAHDI_ONHOOKTRANSFER)
		port->onhook_transfer_ms = value;
	else if (port->txsig == DAHDI_TXSIG_START || port->txsig == DAHDI_TXSIG_KEWL)
		return -EINVAL; /* as wctdm: not while ringing or without battery */
	else
		port->reversed = value != 0;
	return 0;
}

static int vfxs_spanconfig(struct file *file, struct dahdi_span *span, struct dahdi_lineconfig *config)
{
	return 0;
}

static int vfxs_chanconfig(struct file *file, struct dahdi_chan *chan, int sigtype)
{
	return 0;
}

static const struct dahdi_span_ops vfxs_span_ops = {
	.owner = THIS_MODULE,
	.spanconfig = vfxs_spanconfig,
	.chanconfig = vfxs_chanconfig,
	.hooksig = vfxs_hooksig,
	.ioctl = vfxs_ioctl,
};

static void tick(void)
{
	enum vfxs_change changes[VFXS_MAX_PORTS];
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&vfxs_lock, flags);
	for (i = 0; i < vfxs_ports; i++)
		changes[i] = vfxs_port_tick(&vfxs_card.ports[i]);
	spin_unlock_irqrestore(&vfxs_lock, flags);
	for (i = 0; i < vfxs_ports; i++) {
		if (changes[i] != VFXS_UNCHANGED)
			dahdi_hooksig(&vfxs_card.channels[i],
				      changes[i] == VFXS_LIFTED ? DAHDI_RXSIG_OFFHOOK : DAHDI_RXSIG_ONHOOK);
	}
	_dahdi_transmit(&vfxs_card.span);
	spin_lock_irqsave(&vfxs_lock, flags);
	for (i = 0; i < vfxs_ports; i++)
		vfxs_port_audio(&vfxs_card.ports[i]);
	spin_unlock_irqrestore(&vfxs_lock, flags);
	_dahdi_ec_span(&vfxs_card.span);
	_dahdi_receive(&vfxs_card.span);
	vfxs_card.ticks++;
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	u64 due = hrtimer_forward_now(timer, ns_to_ktime(TICK_NS));

	vfxs_card.late_ticks += due - 1;
	if (due > MOST_TICKS_LATE)
		due = MOST_TICKS_LATE;
	for (; due > 0; due--)
		tick();
	return HRTIMER_RESTART;
}

static int plug(void)
{
	struct vfxs_card *card = &vfxs_card;
	unsigned int i;
	int result;

	memset(&card->span, 0, sizeof(card->span));
	memset(card->channels, 0, sizeof(card->channels));
	card->device = dahdi_create_device();
	if (!card->device)
		return -ENOMEM;
	card->device->manufacturer = "dahdi-phone-api";
	card->device->devicetype = "Virtual FXS card";
	card->device->hardware_id = "vfxs";
	card->device->location = "nowhere";
	for (i = 0; i < vfxs_ports; i++) {
		struct dahdi_chan *chan = &card->channels[i];

		snprintf(chan->name, sizeof(chan->name), "VFXS/0/%u", i);
		chan->sigcap = DAHDI_SIG_FXOKS | DAHDI_SIG_FXOLS | DAHDI_SIG_FXOGS | DAHDI_SIG_FXSKS;
		chan->chanpos = i + 1;
		chan->pvt = &card->ports[i];
		card->channel_list[i] = chan;
		card->ports[i].chan = chan;
		vfxs_port_power_on(&card->ports[i]);
	}
	dahdi_init_span(&card->span);
	snprintf(card->span.name, sizeof(card->span.name), "VFXS/0");
	snprintf(card->span.desc, sizeof(card->span.desc), "Virtual FXS card");
	card->span.deflaw = DAHDI_LAW_MULAW;
	card->span.flags = DAHDI_FLAG_RBS;
	card->span.chans = card->channel_list;
	card->span.channels = vfxs_ports;
	card->span.spantype = SPANTYPE_ANALOG_FXS;
	card->span.ops = &vfxs_span_ops;
	list_add_tail(&card->span.device_node, &card->device->spans);
	result = dahdi_register_device(card->device, &parent->dev);
	if (result) {
		dahdi_free_device(card->device);
		card->device = NULL;
		return result;
	}
	hrtimer_start(&tick_timer, ns_to_ktime(TICK_NS), HRTIMER_MODE_REL);
	return 0;
}

static int unplug(void)
{
	hrtimer_cancel(&tick_timer);
	dahdi_unregister_device(vfxs_card.device);
	dahdi_free_device(vfxs_card.device);
	vfxs_card.device = NULL;
	return 0;
}

int vfxs_plug(void)
{
	int result;

	mutex_lock(&plug_mutex);
	result = vfxs_card.device ? -EEXIST : plug();
	mutex_unlock(&plug_mutex);
	return result;
}

int vfxs_unplug(void)
{
	int result;

	mutex_lock(&plug_mutex);
	result = vfxs_card.device ? unplug() : -ENODEV;
	mutex_unlock(&plug_mutex);
	return result;
}

void vfxs_span_alarm(int alarms)
{
	unsigned int i;

	mutex_lock(&plug_mutex);
	if (vfxs_card.device) {
		for (i = 0; i < vfxs_ports; i++)
			dahdi_alarm_channel(&vfxs_card.channels[i], alarms);
	}
	mutex_unlock(&plug_mutex);
}

static int __init vfxs_init(void)
{
	unsigned int i;
	int result = 0;

	if (vfxs_ports < 1 || vfxs_ports > VFXS_MAX_PORTS)
		return -EINVAL;
	hrtimer_init(&tick_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	tick_timer.function = on_timer;
	parent = platform_device_register_simple("vfxs", -1, NULL, 0);
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	for (i = 0; i < vfxs_ports && !result; i++)
		result = vfxs_port_init(&vfxs_card.ports[i]);
	if (!result)
		result = vfxs_debugfs_init();
	if (!result)
		result = vfxs_plug();
	if (!result)
		return 0;
	vfxs_debugfs_exit();
	for (i = 0; i < vfxs_ports; i++)
		vfxs_port_free(&vfxs_card.ports[i]);
	platform_device_unregister(parent);
	return result;
}

static void __exit vfxs_exit(void)
{
	unsigned int i;

	vfxs_debugfs_exit();
	vfxs_unplug();
	for (i = 0; i < vfxs_ports; i++)
		vfxs_port_free(&vfxs_card.ports[i]);
	platform_device_unregister(parent);
}

module_init(vfxs_init);
module_exit(vfxs_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Virtual FXS card for tests");
