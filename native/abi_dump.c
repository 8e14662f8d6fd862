/* abi_dump.c — prints src/driver/abi.gen.ts: the constants and layouts of dahdi_shim.h for TypeScript. */
#include <stddef.h>
#include <stdio.h>

#include "dahdi_shim.h"

struct constant {
  const char *name;
  int value;
};

struct field {
  const char *name;
  size_t offset, size;
};

static void constants(const char *title, const struct constant *list, size_t count) {
  printf("\nexport const %s = {\n", title);
  for (size_t i = 0; i < count; i++) printf("  %s: %d,\n", list[i].name, list[i].value);
  printf("} as const;\n");
}

static void layout(const char *title, size_t size, const struct field *list, size_t count) {
  printf("\nexport const %sSize = %zu;\nexport const %sField = {\n", title, size, title);
  for (size_t i = 0; i < count; i++) {
    printf("  %s: { offset: %zu, type: \"i%zu\" },\n", list[i].name, list[i].offset, list[i].size * 8);
  }
  printf("} as const;\n");
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define FIELD(type, name)                                                                                         \
  { #name, offsetof(struct type, name), sizeof(((struct type *)0)->name) }

int main(void) {
  printf("// Made by native/abi_dump.c from native/dahdi_shim.h: `make native-abi`. Do not edit.\n\n");
  printf("export const ABI_VERSION = %d;\n", DSHIM_ABI_VERSION);
  printf("export const SAMPLE_RATE_HZ = %d;\n", DSHIM_SAMPLE_RATE_HZ);
  printf("export const MAX_LINES = %d;\n", DSHIM_MAX_LINES);
  printf("export const MAX_BURSTS = %d;\n", DSHIM_MAX_BURSTS);
  printf("export const MAX_KEYS = %d;\n", DSHIM_MAX_KEYS);
  printf("export const DATA_RING_SAMPLES = %d;\n", DSHIM_DATA_RING_SAMPLES);
  printf("export const BLOCK_SAMPLES = %d;\n", DSHIM_BLOCK_SAMPLES);
  printf("export const LANES = %d;\n", DSHIM_LANES);
  printf("export const OVERLAYS = %d;\n", DSHIM_OVERLAYS);
  printf("export const TALKERS = %d;\n", DSHIM_TALKERS);
  printf("export const FIRST_TALKER = %d;\n", DSHIM_FIRST_TALKER);
  printf("export const BRIDGE_LINES = %d;\n", DSHIM_BRIDGE_LINES);
  printf("export const TAP_BLOCKS = %d;\n", DSHIM_TAP_BLOCKS);
  printf("export const EAR_RING_SAMPLES = %d;\n", DSHIM_EAR_RING_SAMPLES);

  const struct constant kinds[] = {{"LineUp", DSHIM_EV_LINE_UP},
                                   {"LineDown", DSHIM_EV_LINE_DOWN},
                                   {"OffHook", DSHIM_EV_OFF_HOOK},
                                   {"OnHook", DSHIM_EV_ON_HOOK},
                                   {"Flash", DSHIM_EV_FLASH},
                                   {"PulseDigit", DSHIM_EV_PULSE_DIGIT},
                                   {"DtmfDown", DSHIM_EV_DTMF_DOWN},
                                   {"DtmfUp", DSHIM_EV_DTMF_UP},
                                   {"VoiceStart", DSHIM_EV_VOICE_START},
                                   {"VoiceEnd", DSHIM_EV_VOICE_END},
                                   {"RingBurst", DSHIM_EV_RING_BURST},
                                   {"RingDone", DSHIM_EV_RING_DONE},
                                   {"PlayStarted", DSHIM_EV_PLAY_STARTED},
                                   {"PlayDone", DSHIM_EV_PLAY_DONE},
                                   {"PlayLow", DSHIM_EV_PLAY_LOW},
                                   {"Voltage", DSHIM_EV_VOLTAGE},
                                   {"Alarm", DSHIM_EV_ALARM},
                                   {"CommandDone", DSHIM_EV_COMMAND_DONE},
                                   {"MicLow", DSHIM_EV_MIC_LOW},
                                   {"PulseStart", DSHIM_EV_PULSE_START},
                                   {"DtmfDetail", DSHIM_EV_DTMF_DETAIL},
                                   {"DtmfRefused", DSHIM_EV_DTMF_REFUSED},
                                   {"DataStarted", DSHIM_EV_DATA_STARTED},
                                   {"DataDone", DSHIM_EV_DATA_DONE},
                                   {"TapBlocks", DSHIM_EV_TAP_BLOCKS},
                                   {"Progress", DSHIM_EV_PROGRESS}};
  constants("EventKind", kinds, COUNT(kinds));
  const struct constant stages[] = {{"None", DSHIM_STAGE_NONE},
                                    {"Open", DSHIM_STAGE_OPEN},
                                    {"Specify", DSHIM_STAGE_SPECIFY},
                                    {"Params", DSHIM_STAGE_PARAMS},
                                    {"Signalling", DSHIM_STAGE_SIGNALLING},
                                    {"Linear", DSHIM_STAGE_LINEAR},
                                    {"Buffers", DSHIM_STAGE_BUFFERS},
                                    {"Io", DSHIM_STAGE_IO},
                                    {"Removed", DSHIM_STAGE_REMOVED}};
  constants("Stage", stages, COUNT(stages));
  const struct constant ring_ends[] = {{"Completed", DSHIM_RING_COMPLETED},
                                       {"Duration", DSHIM_RING_DURATION},
                                       {"Stopped", DSHIM_RING_STOPPED},
                                       {"Answered", DSHIM_RING_ANSWERED},
                                       {"Error", DSHIM_RING_ERROR}};
  constants("RingEnd", ring_ends, COUNT(ring_ends));
  const struct constant play_ends[] = {{"Completed", DSHIM_PLAY_COMPLETED},
                                       {"Flushed", DSHIM_PLAY_FLUSHED},
                                       {"Lost", DSHIM_PLAY_LOST},
                                       {"HungUp", DSHIM_PLAY_HUNG_UP},
                                       {"BargedDtmf", DSHIM_PLAY_BARGED_DTMF},
                                       {"BargedVoice", DSHIM_PLAY_BARGED_VOICE}};
  constants("PlayEnd", play_ends, COUNT(play_ends));
  const struct constant barge[] = {{"Dtmf", DSHIM_BARGE_DTMF}, {"Voice", DSHIM_BARGE_VOICE}};
  constants("Barge", barge, COUNT(barge));
  const struct constant capabilities[] = {{"Voltage", DSHIM_CAP_VOLTAGE},
                                          {"EchoCancel", DSHIM_CAP_ECHO_CANCEL},
                                          {"Gain", DSHIM_CAP_GAIN},
                                          {"Simulated", DSHIM_CAP_SIMULATED},
                                          {"OnHookTransfer", DSHIM_CAP_ON_HOOK_TRANSFER},
                                          {"Polarity", DSHIM_CAP_POLARITY},
                                          {"Vmwi", DSHIM_CAP_VMWI}};
  constants("Capability", capabilities, COUNT(capabilities));
  const struct constant modes[] = {{"Realtime", DSHIM_REALTIME}, {"Stepped", DSHIM_STEPPED}};
  constants("Mode", modes, COUNT(modes));
  const struct constant options[] = {{"FlashMaxMs", DSHIM_OPT_FLASH_MAX_MS},
                                     {"EchoCancel", DSHIM_OPT_ECHO_CANCEL},
                                     {"RxGainCdb", DSHIM_OPT_RX_GAIN_CDB},
                                     {"TxGainCdb", DSHIM_OPT_TX_GAIN_CDB},
                                     {"Buffers", DSHIM_OPT_BUFFERS},
                                     {"SimEchoCdb", DSHIM_OPT_SIM_ECHO_CDB},
                                     {"SimNoiseCdbm0", DSHIM_OPT_SIM_NOISE_CDBM0},
                                     {"SimCompanding", DSHIM_OPT_SIM_COMPANDING},
                                     {"VmwiLamps", DSHIM_OPT_VMWI_LAMPS},
                                     {"DtmfExplain", DSHIM_OPT_DTMF_EXPLAIN},
                                     {"WatchdogMs", DSHIM_OPT_WATCHDOG_MS}};
  const struct constant lamps[] = {{"LineReversal", DSHIM_LAMP_LINE_REVERSAL},
                                   {"HighVoltageDc", DSHIM_LAMP_HIGH_VOLTAGE_DC},
                                   {"Neon", DSHIM_LAMP_NEON}};
  const struct constant data_flags[] = {{"BeforeRinging", DSHIM_DATA_BEFORE_RINGING},
                                        {"ReversePolarity", DSHIM_DATA_REVERSE_POLARITY}};
  constants("Option", options, COUNT(options));
  constants("VmwiLamp", lamps, COUNT(lamps));
  constants("DataFlag", data_flags, COUNT(data_flags));

  const struct constant reasons[] = {{"too_short", DSHIM_DTMF_TOO_SHORT},
                                     {"too_quiet", DSHIM_DTMF_TOO_QUIET},
                                     {"off_frequency", DSHIM_DTMF_OFF_FREQUENCY},
                                     {"unsteady", DSHIM_DTMF_UNSTEADY},
                                     {"not_abrupt", DSHIM_DTMF_NOT_ABRUPT},
                                     {"twist", DSHIM_DTMF_TWIST},
                                     {"not_alone", DSHIM_DTMF_NOT_ALONE},
                                     {"low_sound", DSHIM_DTMF_LOW_SOUND},
                                     {"noisy", DSHIM_DTMF_NOISY}};
  constants("DtmfReason", reasons, COUNT(reasons));
  const struct constant progress[] = {{"Dial", DSHIM_PROGRESS_DIAL},       {"Busy", DSHIM_PROGRESS_BUSY},
                                      {"Reorder", DSHIM_PROGRESS_REORDER}, {"Ringback", DSHIM_PROGRESS_RINGBACK},
                                      {"FaxCed", DSHIM_PROGRESS_FAX_CED},  {"FaxCng", DSHIM_PROGRESS_FAX_CNG}};
  constants("Progress", progress, COUNT(progress));
  /* All of it is i32: a list of them has its places here. */
  const struct constant tone[] = {{"size", sizeof(struct dshim_progress_tone)},
                                  {"id", offsetof(struct dshim_progress_tone, id)},
                                  {"sines", offsetof(struct dshim_progress_tone, sines)},
                                  {"frequencies_chz", offsetof(struct dshim_progress_tone, frequencies_chz)},
                                  {"tolerance_chz", offsetof(struct dshim_progress_tone, tolerance_chz)},
                                  {"phases", offsetof(struct dshim_progress_tone, phases)},
                                  {"cadence_ms", offsetof(struct dshim_progress_tone, cadence_ms)},
                                  {"sure_ms", offsetof(struct dshim_progress_tone, sure_ms)}};
  constants("ProgressToneOffset", tone, COUNT(tone));

  const struct field event[] = {FIELD(dshim_event, time_ns), FIELD(dshim_event, told_ns), FIELD(dshim_event, kind),
                                FIELD(dshim_event, line),    FIELD(dshim_event, a),       FIELD(dshim_event, b),
                                FIELD(dshim_event, c),       FIELD(dshim_event, d)};
  layout("Event", sizeof(struct dshim_event), event, COUNT(event));
#define LINE(name) FIELD(dshim_line_stats, name)
  const struct field line[] = {LINE(rx_blocks),
                               LINE(tx_blocks),
                               LINE(play_underruns),
                               LINE(card_underruns),
                               LINE(card_overruns),
                               LINE(late_blocks),
                               LINE(max_service_gap_ns),
                               LINE(dtmf_digits),
                               LINE(voltage_time_ns),
                               LINE(tap_lost_blocks),
                               LINE(bridge_slips),
                               LINE(up),
                               LINE(lifted),
                               LINE(ringing),
                               LINE(stage),
                               LINE(error),
                               LINE(capabilities),
                               LINE(signalling),
                               LINE(voltage_known),
                               LINE(tip_mv),
                               LINE(ring_mv),
                               LINE(battery_mv),
                               LINE(voltage_min_mv),
                               LINE(voltage_max_mv),
                               LINE(level_cdbm0),
                               LINE(noise_cdbm0),
                               LINE(voice_active),
                               LINE(play_queued_samples),
                               LINE(alarms),
#define REFUSED(reason, name)                                                                                     \
  {"dtmf_" #name, offsetof(struct dshim_line_stats, dtmf_refused[DSHIM_DTMF_##reason]), sizeof(int32_t)}
                               REFUSED(TOO_SHORT, too_short),
                               REFUSED(TOO_QUIET, too_quiet),
                               REFUSED(OFF_FREQUENCY, off_frequency),
                               REFUSED(UNSTEADY, unsteady),
                               REFUSED(NOT_ABRUPT, not_abrupt),
                               REFUSED(TWIST, twist),
                               REFUSED(NOT_ALONE, not_alone),
                               REFUSED(LOW_SOUND, low_sound),
                               REFUSED(NOISY, noisy),
                               LINE(dtmf_low_cdbm0),
                               LINE(dtmf_high_cdbm0),
                               LINE(dtmf_low_offset_chz),
                               LINE(dtmf_high_offset_chz),
                               LINE(dtmf_snr_cdb)};
  layout("LineStats", sizeof(struct dshim_line_stats), line, COUNT(line));
  /* Bytes. */
  const struct constant tap[] = {
      {"size", sizeof(struct dshim_tap_block)},           {"time_ns", offsetof(struct dshim_tap_block, time_ns)},
      {"tap", offsetof(struct dshim_tap_block, tap)},     {"block", offsetof(struct dshim_tap_block, block)},
      {"heard", offsetof(struct dshim_tap_block, heard)}, {"sent", offsetof(struct dshim_tap_block, sent)}};
  constants("TapBlockOffset", tap, COUNT(tap));
#define TALK(name) FIELD(dshim_talk_stats, name)
  const struct field talk[] = {TALK(underruns), TALK(late_samples), TALK(dropped_samples), TALK(queued_samples)};
  layout("TalkStats", sizeof(struct dshim_talk_stats), talk, COUNT(talk));
#define ENGINE(name) FIELD(dshim_engine_stats, name)
  const struct field engine[] = {ENGINE(events_pushed),    ENGINE(events_lost),    ENGINE(wakeups),
                                 ENGINE(max_wake_late_ns), ENGINE(watchdog_trips), ENGINE(realtime),
                                 ENGINE(realtime_error),   ENGINE(memory_locked),  ENGINE(lines)};
  layout("EngineStats", sizeof(struct dshim_engine_stats), engine, COUNT(engine));
#define SIM(name) FIELD(dshim_sim_state, name)
  const struct field sim[] = {SIM(bursts),     SIM(lifted),   SIM(bell), SIM(plugged),
                              SIM(voltage_mv), SIM(reversed), SIM(lamp)};
  layout("SimState", sizeof(struct dshim_sim_state), sim, COUNT(sim));
#define PROBE(name) FIELD(dshim_probe, name)
  const struct field probe[] = {
      PROBE(device_error),         PROBE(control_error), PROBE(channel_error), PROBE(signalling),
      PROBE(possible_signallings), PROBE(lifted),        PROBE(alarms),        PROBE(law),
      PROBE(zone_error),           PROBE(zone)};
  layout("Probe", sizeof(struct dshim_probe), probe, COUNT(probe));
  return 0;
}
