/** Everything measured about one line, as GET /diagnostics shows it. */
import type { DriverEngine, LineStats } from "../driver/engine";
import { errnoName } from "../driver/faults";
import type { Port } from "../driver/port";
import type { KeyDetail, LineFault } from "../line/state";
import type { LineDiagnostics } from "./verbs";

const NS_PER_MS = 1e6;
const SAMPLES_PER_MS = 8;

export function lineDiagnostics(
  port: Port,
  fault: LineFault | null,
  engine: ReturnType<DriverEngine["engineStats"]>,
): LineDiagnostics {
  const stats = port.stats();
  const up = stats.up === 1;
  const known = up && stats.voltage_known === 1;
  const heard = up && stats.lifted === 1;
  const levelDbm0 = heard ? stats.level_cdbm0 / 100 : null;
  const noiseDbm0 = heard ? stats.noise_cdbm0 / 100 : null;
  return {
    hardware: {
      driver: port.device === null ? "simulated" : "dahdi",
      device: port.device,
      channel: port.channel,
      in_service: up,
      signalling: up ? stats.signallingName : null,
      alarms: stats.alarmNames,
      fault,
    },
    capabilities: stats.capabilityNames,
    voltage: {
      tip: known ? stats.tip_mv / 1000 : null,
      ring: known ? stats.ring_mv / 1000 : null,
      battery: known ? stats.battery_mv / 1000 : null,
    },
    dtmf: {
      accepted: stats.dtmf_digits,
      refused: {
        too_short: stats.dtmf_too_short,
        too_quiet: stats.dtmf_too_quiet,
        off_frequency: stats.dtmf_off_frequency,
        unsteady: stats.dtmf_unsteady,
        not_abrupt: stats.dtmf_not_abrupt,
        twist: stats.dtmf_twist,
        not_alone: stats.dtmf_not_alone,
        low_sound: stats.dtmf_low_sound,
        noisy: stats.dtmf_noisy,
      },
      last: stats.dtmf_digits > 0 ? lastKey(stats) : null,
    },
    signal: {
      level_dbm0: levelDbm0,
      noise_dbm0: noiseDbm0,
      snr_db:
        levelDbm0 === null || noiseDbm0 === null
          ? null
          : Math.max(0, (stats.level_cdbm0 - stats.noise_cdbm0) / 100),
      voice_active: stats.voice_active === 1,
    },
    io: {
      rx_blocks: stats.rx_blocks,
      tx_blocks: stats.tx_blocks,
      playout_underruns: stats.play_underruns,
      card_underruns: stats.card_underruns,
      card_overruns: stats.card_overruns,
      late_blocks: stats.late_blocks,
      max_service_gap_ms: stats.max_service_gap_ns / NS_PER_MS,
      queued_playout_ms: stats.play_queued_samples / SAMPLES_PER_MS,
      tap_lost_blocks: stats.tap_lost_blocks,
      bridge_slips: stats.bridge_slips,
    },
    engine: {
      realtime: engine.realtime === 1,
      realtime_error: engine.realtime === 1 ? null : errnoName(engine.realtime_error),
      memory_locked: engine.memory_locked === 1,
      events_pushed: engine.events_pushed,
      events_lost: engine.events_lost,
      watchdog_trips: engine.watchdog_trips,
      wakeups: engine.wakeups,
      max_wake_late_ms: engine.max_wake_late_ns / NS_PER_MS,
    },
  };
}

const lastKey = (stats: LineStats): KeyDetail => ({
  level_low_dbm0: stats.dtmf_low_cdbm0 / 100,
  level_high_dbm0: stats.dtmf_high_cdbm0 / 100,
  twist_db: (stats.dtmf_high_cdbm0 - stats.dtmf_low_cdbm0) / 100,
  offset_low_hz: stats.dtmf_low_offset_chz / 100,
  offset_high_hz: stats.dtmf_high_offset_chz / 100,
  snr_db: stats.dtmf_snr_cdb / 100,
});
