/** Each channel that the configuration uses: is it there, does it feed a telephone, is it free. */
import type { ChannelProbe } from "../driver/probe";
import { error, type Finding, ok, skipped, warning } from "./findings";
import { type Holders, holderNames, holdersOf, OUR_NAME, ourServices, stopCommand } from "./holders";
import { ranges, type SpanChannel } from "./spans";
import type { System } from "./system";
import { APPLY, addRow, changeKey, confRows, SYSTEM_CONF, signallingRow } from "./system_conf";

const FEEDING = new Set(["FXOKS", "FXOLS", "FXOGS"]);

export function checkChannel(
  system: System,
  channel: number,
  spans: readonly SpanChannel[],
  probe: ChannelProbe,
  editConfig: string,
): Finding {
  const found = spans.find((one) => one.channel === channel);
  if (!found) return missing(system, channel, spans, editConfig);
  const { name, signalling, reserved, alarms } = found;
  const title = (what: string): string => `Channel ${channel} (${name}) ${what}`;
  if (reserved) {
    return error("channel", title("has no port"), {
      channel,
      detail: "The card's slot is empty, or its module was not recognised: see sudo dmesg | grep -i module.",
    });
  }
  // The driver knows what the hardware can; without its word, what dahdi_cfg was told is believed.
  if (probe.channelError === 0 && !probe.feedsTelephones) {
    return error("channel", title("is a port for the wall socket (FXO), and cannot feed a telephone"), {
      channel,
      detail:
        "Use a channel with an FXS port; on cards with modules they are the green ones, FXO modules are red.",
    });
  }
  if (signalling === null) return unconfigured(system, channel, title("is not set up"));
  if (!FEEDING.has(signalling)) {
    const row = signallingRow(system, channel);
    const others = row?.channels.filter((one) => one !== channel) ?? [];
    return error("channel", title(`is set up as ${signalling}, which does not feed a telephone`), {
      channel,
      detail:
        "An FXS port feeds a telephone and takes FXO signalling: fxoks in /etc/dahdi/system.conf." +
        (others.length > 0
          ? ` The row also names ${ranges(others)}: split it first if those are no telephones.`
          : ""),
      fix: row ? changeKey(row, "fxoks") : addRow(`fxoks=${channel}`),
    });
  }
  if (alarms.length > 0) {
    return warning("channel", title(`has an alarm: ${alarms.join(", ")}`), {
      channel,
      detail: "The driver thinks that the card or its line is not well; the kernel's log says more.",
      fix: "sudo dmesg | tail -n 30",
    });
  }
  return ok("channel", title(`feeds a telephone: ${signalling.toLowerCase()}`), {
    channel,
    detail:
      probe.channelError === 0 ? `${probe.law}; the telephone is ${probe.lifted ? "lifted" : "on-hook"}.` : "",
  });
}

function missing(system: System, channel: number, spans: readonly SpanChannel[], editConfig: string): Finding {
  if (spans.length === 0 && (system.list("/sys/bus/dahdi_devices/devices") ?? []).length > 0) {
    return error("channel", `The driver has no channel ${channel}: the card's ports have no numbers yet`, {
      channel,
      detail:
        "Debian numbers them by assigned-spans.conf alone; the udev rule of dahdi-phone-api install does it for every card.",
      fix: `sudo dahdi_span_assignments auto && ${APPLY}`,
    });
  }
  if (spans.length === 0) {
    return error("channel", `The driver has no channel ${channel}: it has none at all`, {
      channel,
      detail: "No card's driver has brought its ports: see the findings on the card above.",
      fix: "cat /proc/dahdi/* ; sudo dmesg | grep -i dahdi",
    });
  }
  const there = spans.map((one) => one.channel);
  return error("channel", `The driver has no channel ${channel}; there are ${ranges(there)}`, {
    channel,
    detail: `Name some of those in the configuration, as in dahdi: { channel: ${there[0]}, channels: [${there[0]}] }.`,
    fix: editConfig,
  });
}

function unconfigured(system: System, channel: number, title: string): Finding {
  const row = signallingRow(system, channel);
  if (row && FEEDING.has(row.key.toUpperCase())) {
    return error("channel", title, {
      channel,
      detail: `${SYSTEM_CONF} says ${row.text}, but dahdi_cfg has not run since the driver was loaded.`,
      fix: APPLY,
    });
  }
  return error("channel", title, {
    channel,
    detail: "An FXS port feeds a telephone and takes FXO signalling: fxoks in /etc/dahdi/system.conf.",
    fix: row ? changeKey(row, "fxoks") : addRow(`fxoks=${channel}`),
  });
}

/**
 * A process that came by /dev/dahdi/channel does not show which channel it took, so that it counts for each that
 * is in use.
 */
export function channelHolders(system: System, { channel, span, place }: SpanChannel): Holders {
  const three = (number: number): string => String(number).padStart(3, "0");
  const nodes = new Set([
    `/dev/dahdi/${channel}`,
    `/dev/dahdi/chan/${three(span)}/${three(place)}`,
    "/dev/dahdi/channel",
  ]);
  return holdersOf(system, (link) => nodes.has(link));
}

export function checkHolder(system: System, channel: number, spans: readonly SpanChannel[]): Finding {
  const found = spans.find((one) => one.channel === channel);
  if (!found) return skipped("holder", `Channel ${channel} is not there to be held`, { channel });
  if (!found.inUse) return ok("holder", `Channel ${channel} is free`, { channel });
  const { holders, sawAll } = channelHolders(system, found);
  const ours = sawAll ? holders.filter(({ name }) => name === OUR_NAME) : ourServices(system);
  const others = holders.filter(({ name }) => name !== OUR_NAME);
  if (others.length === 0 && ours.length > 0) {
    const how = sawAll ? "is served" : "is in use, probably served,";
    return ok("holder", `Channel ${channel} ${how} by the running ${holderNames(ours)}`, { channel });
  }
  if (others.length > 0) {
    return error("holder", `Channel ${channel} is held by ${holderNames(others)}`, {
      channel,
      detail:
        others.length > 1 || ours.length > 0
          ? "Each of them has opened /dev/dahdi/channel; the driver does not tell which took this channel."
          : "A channel has one owner: take it out of that program's configuration, or stop the program.",
      fix: stopCommand(others),
    });
  }
  return error("holder", `Channel ${channel} is held by another program`, {
    channel,
    detail: sawAll
      ? "No process with it open is seen: it may be in another container."
      : "Only root may see whose: ask the doctor with sudo.",
    fix: "sudo fuser -v /dev/dahdi/*",
  });
}

export function checkEchoCanceller(
  system: System,
  channels: readonly number[],
  spans: readonly SpanChannel[],
  taps: number,
): Finding {
  const there = spans.filter(({ channel, signalling }) => channels.includes(channel) && signalling !== null);
  if (there.length === 0) return skipped("echo_canceller", "No channel that an echo canceller could serve");
  if (taps === 0) return ok("echo_canceller", "Echo cancelling is switched off in the configuration");
  const without = there.filter(({ echoCanceller }) => echoCanceller === null).map(({ channel }) => channel);
  if (without.length === 0) {
    const kinds = [...new Set(there.map(({ echoCanceller }) => echoCanceller))];
    return ok("echo_canceller", `Every channel has an echo canceller: ${kinds.join(", ")}`);
  }
  const configured = confRows(system)
    .filter(({ key }) => key === "echocanceller")
    .flatMap((row) => row.channels);
  const applied = without.every((channel) => configured.includes(channel));
  const list = ranges(without, ",");
  return warning("echo_canceller", `No echo canceller on channel ${ranges(without)}`, {
    detail: applied
      ? `${SYSTEM_CONF} names one: its module may be missing.`
      : "What is played may be heard again, weakly, as if spoken. A card with a canceller of its own takes hwec for mg2.",
    fix: applied ? `sudo modprobe dahdi_echocan_mg2 && ${APPLY}` : addRow(`echocanceller=mg2,${list}`),
  });
}
