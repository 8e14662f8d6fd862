// SPDX-License-Identifier: GPL-2.0
/*
 * The hands on the telephones: /sys/kernel/debug/vfxs
 *   card          "plug", "unplug"; reads "plugged TICKS LATE_TICKS"
 *   alarm         DAHDI_ALARM_* bits of every channel
 *   N/hook        a script: "1" lifted, "0" on-hook, "0:60 1:40 1" with milliseconds; reads "STATE STEPS_LEFT"
 *   N/hook_log, N/bell_log   "NS STATE" a line, CLOCK_MONOTONIC; a write clears
 *   N/mic         S16 samples in; reads how many are still to be said
 *   N/ear         what was heard last, S16: lifted, or on-hook during on-hook transfer; a write forgets it
 *   N/volts       "TIP RING BATTERY" in mV, or "auto"; reads the three
 *   N/echo        of 32768, hybrid echo of what is sent
 *   N/fault       0 none, 1 no battery, 2 the pair is shorted
 *   N/controls    what the driver was told: txsig, vmwi, reversed, onhook_transfer, hwgain
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "vfxs.h"

#define MOST_TEXT 8192

static struct dentry *root;

/* The written text as a string of its own, ERR_PTR else. */
static char *text_of(const char __user *from, size_t count)
{
	return count > MOST_TEXT ? ERR_PTR(-E2BIG) : memdup_user_nul(from, count);
}

#define SHOW_FILE(name, show_function, write_function)                                    \
	static int name##_open(struct inode *inode, struct file *file)                    \
	{                                                                                 \
		return single_open(file, show_function, inode->i_private);                \
	}                                                                                 \
	static const struct file_operations name##_fops = {                               \
		.owner = THIS_MODULE, .open = name##_open, .read = seq_read,              \
		.write = write_function, .llseek = seq_lseek, .release = single_release,  \
	}

static struct vfxs_port *port_behind(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

static int card_show(struct seq_file *out, void *unused)
{
	seq_printf(out, "%s %llu %llu\n", vfxs_card.device ? "plugged" : "unplugged", vfxs_card.ticks,
		   vfxs_card.late_ticks);
	return 0;
}

static ssize_t card_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	char *text = text_of(from, count);
	int result;

	if (IS_ERR(text))
		return PTR_ERR(text);
	if (sysfs_streq(text, "plug"))
		result = vfxs_plug();
	else if (sysfs_streq(text, "unplug"))
		result = vfxs_unplug();
	else
		result = -EINVAL;
	kfree(text);
	return result ? result : count;
}
SHOW_FILE(card, card_show, card_write);

static int alarm_set(void *data, u64 bits)
{
	vfxs_span_alarm((int)bits);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(alarm_fops, NULL, alarm_set, "%llu\n");

static int hook_show(struct seq_file *out, void *unused)
{
	const struct vfxs_port *port = out->private;

	seq_printf(out, "%d %u\n", port->lifted, port->step_count - port->step);
	return 0;
}

static int parse_steps(char *text, struct vfxs_step *steps)
{
	u32 count = 0;
	char *word;

	while ((word = strsep(&text, " \n")) != NULL) {
		unsigned int lifted, ms = 0;

		if (!*word)
			continue;
		if (count == VFXS_MAX_STEPS || sscanf(word, "%u:%u", &lifted, &ms) < 1 || lifted > 1)
			return -EINVAL;
		steps[count++] = (struct vfxs_step){ .lifted = lifted, .ms = ms };
	}
	return count;
}

static ssize_t hook_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	struct vfxs_port *port = port_behind(file);
	struct vfxs_step *steps = kcalloc(VFXS_MAX_STEPS, sizeof(*steps), GFP_KERNEL);
	char *text = text_of(from, count);
	unsigned long flags;
	int result = -ENOMEM;

	if (IS_ERR(text)) {
		kfree(steps);
		return PTR_ERR(text);
	}
	if (steps)
		result = parse_steps(text, steps);
	if (result >= 0) {
		spin_lock_irqsave(&vfxs_lock, flags);
		memcpy(port->steps, steps, result * sizeof(*steps));
		port->step = port->step_left_ms = 0;
		port->step_count = result;
		spin_unlock_irqrestore(&vfxs_lock, flags);
	}
	kfree(text);
	kfree(steps);
	return result < 0 ? result : count;
}
SHOW_FILE(hook, hook_show, hook_write);

static int show_log(struct seq_file *out, const struct vfxs_log *log)
{
	u32 first = log->count > VFXS_LOG ? log->count - VFXS_LOG : 0;
	u32 i;

	for (i = first; i < log->count; i++) {
		const struct vfxs_edge *edge = &log->edges[i % VFXS_LOG];

		seq_printf(out, "%lld %d\n", edge->ns, edge->on);
	}
	return 0;
}

static int hook_log_show(struct seq_file *out, void *unused)
{
	return show_log(out, &((struct vfxs_port *)out->private)->hook_log);
}

static int bell_log_show(struct seq_file *out, void *unused)
{
	return show_log(out, &((struct vfxs_port *)out->private)->bell_log);
}

static ssize_t hook_log_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	port_behind(file)->hook_log.count = 0;
	return count;
}

static ssize_t bell_log_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	port_behind(file)->bell_log.count = 0;
	return count;
}
SHOW_FILE(hook_log, hook_log_show, hook_log_write);
SHOW_FILE(bell_log, bell_log_show, bell_log_write);

static int mic_show(struct seq_file *out, void *unused)
{
	const struct vfxs_port *port = out->private;

	seq_printf(out, "%llu\n", port->mic_written - port->mic_read);
	return 0;
}

static ssize_t mic_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	struct vfxs_port *port = port_behind(file);
	size_t samples = count / sizeof(s16);
	unsigned long flags;
	s16 *copy;
	size_t i;

	if (samples == 0)
		return -EINVAL;
	if (samples > MOST_TEXT)
		samples = MOST_TEXT;
	copy = memdup_user(from, samples * sizeof(s16));
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	spin_lock_irqsave(&vfxs_lock, flags);
	if (port->mic_written - port->mic_read + samples > VFXS_MIC_SAMPLES)
		samples = VFXS_MIC_SAMPLES - (size_t)(port->mic_written - port->mic_read);
	for (i = 0; i < samples; i++)
		port->mic[port->mic_written++ & (VFXS_MIC_SAMPLES - 1)] = copy[i];
	spin_unlock_irqrestore(&vfxs_lock, flags);
	kfree(copy);
	return samples ? (ssize_t)(samples * sizeof(s16)) : -ENOSPC;
}
SHOW_FILE(mic, mic_show, mic_write);

struct heard {
	size_t bytes;
	s16 samples[];
};

static int ear_open(struct inode *inode, struct file *file)
{
	struct vfxs_port *port = inode->i_private;
	struct heard *heard = vmalloc(sizeof(*heard) + VFXS_EAR_SAMPLES * sizeof(s16));
	unsigned long flags;
	u64 count, i;

	if (!heard)
		return -ENOMEM;
	spin_lock_irqsave(&vfxs_lock, flags);
	count = min_t(u64, port->ear_written, VFXS_EAR_SAMPLES);
	for (i = 0; i < count; i++)
		heard->samples[i] = port->ear[(port->ear_written - count + i) & (VFXS_EAR_SAMPLES - 1)];
	spin_unlock_irqrestore(&vfxs_lock, flags);
	heard->bytes = count * sizeof(s16);
	file->private_data = heard;
	return 0;
}

static ssize_t ear_read(struct file *file, char __user *into, size_t count, loff_t *at)
{
	struct heard *heard = file->private_data;

	return simple_read_from_buffer(into, count, at, heard->samples, heard->bytes);
}

static int ear_release(struct inode *inode, struct file *file)
{
	vfree(file->private_data);
	return 0;
}

/* Forgets what was heard. */
static ssize_t ear_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	struct vfxs_port *port = file_inode(file)->i_private;
	unsigned long flags;

	spin_lock_irqsave(&vfxs_lock, flags);
	port->ear_written = 0;
	spin_unlock_irqrestore(&vfxs_lock, flags);
	return count;
}

static const struct file_operations ear_fops = {
	.owner = THIS_MODULE, .open = ear_open, .read = ear_read, .write = ear_write, .llseek = default_llseek, .release = ear_release,
};

static int volts_show(struct seq_file *out, void *unused)
{
	s32 mv[3];

	vfxs_port_volts(out->private, mv);
	seq_printf(out, "%d %d %d\n", mv[0], mv[1], mv[2]);
	return 0;
}

static ssize_t volts_write(struct file *file, const char __user *from, size_t count, loff_t *at)
{
	struct vfxs_port *port = port_behind(file);
	char *text = text_of(from, count);
	int mv[3];
	ssize_t result = count;

	if (IS_ERR(text))
		return PTR_ERR(text);
	if (sysfs_streq(text, "auto")) {
		port->volts_set = false;
	} else if (sscanf(text, "%d %d %d", &mv[0], &mv[1], &mv[2]) == 3) {
		port->tip_mv = mv[0];
		port->ring_mv = mv[1];
		port->battery_mv = mv[2];
		port->volts_set = true;
	} else {
		result = -EINVAL;
	}
	kfree(text);
	return result;
}
SHOW_FILE(volts, volts_show, volts_write);

static int controls_show(struct seq_file *out, void *unused)
{
	static const char *const TXSIG[] = { "onhook", "offhook", "start", "kewl" };
	const struct vfxs_port *port = out->private;

	seq_printf(out, "txsig=%s vmwi=%d reversed=%d onhook_transfer=%d hwgain_tx=%d hwgain_rx=%d\n",
		   port->txsig < ARRAY_SIZE(TXSIG) ? TXSIG[port->txsig] : "?", port->vmwi_messages, port->reversed,
		   port->onhook_transfer_ms, port->hwgain_tx, port->hwgain_rx);
	return 0;
}
SHOW_FILE(controls, controls_show, NULL);

int vfxs_debugfs_init(void)
{
	unsigned int i;

	root = debugfs_create_dir("vfxs", NULL);
	if (IS_ERR(root))
		return PTR_ERR(root);
	debugfs_create_file("card", 0600, root, NULL, &card_fops);
	debugfs_create_file("alarm", 0200, root, NULL, &alarm_fops);
	for (i = 0; i < vfxs_ports; i++) {
		struct vfxs_port *port = &vfxs_card.ports[i];
		struct dentry *folder;
		char name[8];

		snprintf(name, sizeof(name), "%u", i + 1);
		folder = debugfs_create_dir(name, root);
		debugfs_create_file("hook", 0600, folder, port, &hook_fops);
		debugfs_create_file("hook_log", 0600, folder, port, &hook_log_fops);
		debugfs_create_file("bell_log", 0600, folder, port, &bell_log_fops);
		debugfs_create_file("mic", 0600, folder, port, &mic_fops);
		debugfs_create_file("ear", 0600, folder, port, &ear_fops);
		debugfs_create_file("volts", 0600, folder, port, &volts_fops);
		debugfs_create_file("controls", 0400, folder, port, &controls_fops);
		debugfs_create_u32("echo", 0600, folder, (u32 *)&port->echo);
		debugfs_create_u32("fault", 0600, folder, &port->fault);
	}
	return 0;
}

void vfxs_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
