// Made by native/abi_dump.c from native/dahdi_shim.h: `make native-abi`. Do not edit.

export const ABI_VERSION = 3;
export const SAMPLE_RATE_HZ = 8000;
export const MAX_LINES = 32;
export const MAX_BURSTS = 32;
export const MAX_KEYS = 64;
export const DATA_RING_SAMPLES = 65536;
export const BLOCK_SAMPLES = 160;
export const LANES = 8;
export const OVERLAYS = 3;
export const TALKERS = 4;
export const FIRST_TALKER = 4;
export const BRIDGE_LINES = 8;
export const TAP_BLOCKS = 512;
export const EAR_RING_SAMPLES = 262144;

export const EventKind = {
  LineUp: 1,
  LineDown: 2,
  OffHook: 3,
  OnHook: 4,
  Flash: 5,
  PulseDigit: 6,
  DtmfDown: 7,
  DtmfUp: 8,
  VoiceStart: 9,
  VoiceEnd: 10,
  RingBurst: 11,
  RingDone: 12,
  PlayStarted: 13,
  PlayDone: 14,
  PlayLow: 15,
  Voltage: 16,
  Alarm: 17,
  CommandDone: 18,
  MicLow: 19,
  PulseStart: 20,
  DtmfDetail: 31,
  DtmfRefused: 32,
  DataStarted: 40,
  DataDone: 41,
  TapBlocks: 42,
  Progress: 30,
} as const;

export const Stage = {
  None: 0,
  Open: 1,
  Specify: 2,
  Params: 3,
  Signalling: 4,
  Linear: 5,
  Buffers: 6,
  Io: 7,
  Removed: 8,
} as const;

export const RingEnd = {
  Completed: 0,
  Duration: 1,
  Stopped: 2,
  Answered: 3,
  Error: 4,
} as const;

export const PlayEnd = {
  Completed: 0,
  Flushed: 1,
  Lost: 2,
  HungUp: 3,
  BargedDtmf: 4,
  BargedVoice: 5,
} as const;

export const Barge = {
  Dtmf: 1,
  Voice: 2,
} as const;

export const Capability = {
  Voltage: 1,
  EchoCancel: 2,
  Gain: 4,
  Simulated: 8,
  OnHookTransfer: 16,
  Polarity: 32,
  Vmwi: 64,
} as const;

export const Mode = {
  Realtime: 0,
  Stepped: 1,
} as const;

export const Option = {
  FlashMaxMs: 1,
  EchoCancel: 2,
  RxGainCdb: 3,
  TxGainCdb: 4,
  Buffers: 5,
  SimEchoCdb: 6,
  SimNoiseCdbm0: 7,
  SimCompanding: 8,
  VmwiLamps: 9,
  DtmfExplain: 10,
  WatchdogMs: 11,
} as const;

export const VmwiLamp = {
  LineReversal: 1,
  HighVoltageDc: 2,
  Neon: 4,
} as const;

export const DataFlag = {
  BeforeRinging: 1,
  ReversePolarity: 2,
} as const;

export const DtmfReason = {
  too_short: 0,
  too_quiet: 1,
  off_frequency: 2,
  unsteady: 3,
  not_abrupt: 4,
  twist: 5,
  not_alone: 6,
  low_sound: 7,
  noisy: 8,
} as const;

export const Progress = {
  Dial: 1,
  Busy: 2,
  Reorder: 3,
  Ringback: 4,
  FaxCed: 5,
  FaxCng: 6,
} as const;

export const ProgressToneOffset = {
  size: 84,
  id: 0,
  sines: 4,
  frequencies_chz: 8,
  tolerance_chz: 24,
  phases: 28,
  cadence_ms: 32,
  sure_ms: 80,
} as const;

export const EventSize = 40;
export const EventField = {
  time_ns: { offset: 0, type: "i64" },
  told_ns: { offset: 8, type: "i64" },
  kind: { offset: 16, type: "i32" },
  line: { offset: 20, type: "i32" },
  a: { offset: 24, type: "i32" },
  b: { offset: 28, type: "i32" },
  c: { offset: 32, type: "i32" },
  d: { offset: 36, type: "i32" },
} as const;

export const LineStatsSize = 216;
export const LineStatsField = {
  rx_blocks: { offset: 0, type: "i64" },
  tx_blocks: { offset: 8, type: "i64" },
  play_underruns: { offset: 16, type: "i64" },
  card_underruns: { offset: 24, type: "i64" },
  card_overruns: { offset: 32, type: "i64" },
  late_blocks: { offset: 40, type: "i64" },
  max_service_gap_ns: { offset: 48, type: "i64" },
  dtmf_digits: { offset: 56, type: "i64" },
  voltage_time_ns: { offset: 64, type: "i64" },
  tap_lost_blocks: { offset: 72, type: "i64" },
  bridge_slips: { offset: 80, type: "i64" },
  up: { offset: 88, type: "i32" },
  lifted: { offset: 92, type: "i32" },
  ringing: { offset: 96, type: "i32" },
  stage: { offset: 100, type: "i32" },
  error: { offset: 104, type: "i32" },
  capabilities: { offset: 108, type: "i32" },
  signalling: { offset: 112, type: "i32" },
  voltage_known: { offset: 116, type: "i32" },
  tip_mv: { offset: 120, type: "i32" },
  ring_mv: { offset: 124, type: "i32" },
  battery_mv: { offset: 128, type: "i32" },
  voltage_min_mv: { offset: 132, type: "i32" },
  voltage_max_mv: { offset: 136, type: "i32" },
  level_cdbm0: { offset: 140, type: "i32" },
  noise_cdbm0: { offset: 144, type: "i32" },
  voice_active: { offset: 148, type: "i32" },
  play_queued_samples: { offset: 152, type: "i32" },
  alarms: { offset: 156, type: "i32" },
  dtmf_too_short: { offset: 160, type: "i32" },
  dtmf_too_quiet: { offset: 164, type: "i32" },
  dtmf_off_frequency: { offset: 168, type: "i32" },
  dtmf_unsteady: { offset: 172, type: "i32" },
  dtmf_not_abrupt: { offset: 176, type: "i32" },
  dtmf_twist: { offset: 180, type: "i32" },
  dtmf_not_alone: { offset: 184, type: "i32" },
  dtmf_low_sound: { offset: 188, type: "i32" },
  dtmf_noisy: { offset: 192, type: "i32" },
  dtmf_low_cdbm0: { offset: 196, type: "i32" },
  dtmf_high_cdbm0: { offset: 200, type: "i32" },
  dtmf_low_offset_chz: { offset: 204, type: "i32" },
  dtmf_high_offset_chz: { offset: 208, type: "i32" },
  dtmf_snr_cdb: { offset: 212, type: "i32" },
} as const;

export const TapBlockOffset = {
  size: 656,
  time_ns: 0,
  tap: 8,
  block: 12,
  heard: 16,
  sent: 336,
} as const;

export const TalkStatsSize = 32;
export const TalkStatsField = {
  underruns: { offset: 0, type: "i64" },
  late_samples: { offset: 8, type: "i64" },
  dropped_samples: { offset: 16, type: "i64" },
  queued_samples: { offset: 24, type: "i32" },
} as const;

export const EngineStatsSize = 56;
export const EngineStatsField = {
  events_pushed: { offset: 0, type: "i64" },
  events_lost: { offset: 8, type: "i64" },
  wakeups: { offset: 16, type: "i64" },
  max_wake_late_ns: { offset: 24, type: "i64" },
  watchdog_trips: { offset: 32, type: "i64" },
  realtime: { offset: 40, type: "i32" },
  realtime_error: { offset: 44, type: "i32" },
  memory_locked: { offset: 48, type: "i32" },
  lines: { offset: 52, type: "i32" },
} as const;

export const SimStateSize = 32;
export const SimStateField = {
  bursts: { offset: 0, type: "i64" },
  lifted: { offset: 8, type: "i32" },
  bell: { offset: 12, type: "i32" },
  plugged: { offset: 16, type: "i32" },
  voltage_mv: { offset: 20, type: "i32" },
  reversed: { offset: 24, type: "i32" },
  lamp: { offset: 28, type: "i32" },
} as const;

export const ProbeSize = 40;
export const ProbeField = {
  device_error: { offset: 0, type: "i32" },
  control_error: { offset: 4, type: "i32" },
  channel_error: { offset: 8, type: "i32" },
  signalling: { offset: 12, type: "i32" },
  possible_signallings: { offset: 16, type: "i32" },
  lifted: { offset: 20, type: "i32" },
  alarms: { offset: 24, type: "i32" },
  law: { offset: 28, type: "i32" },
  zone_error: { offset: 32, type: "i32" },
  zone: { offset: 36, type: "i32" },
} as const;
