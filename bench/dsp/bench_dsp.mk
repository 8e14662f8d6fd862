# The detectors beside their peers, on the same samples. Included by the top Makefile.
#   FULL=1             more groups, everything at 17 speeds and through G.711, synthetic voices
#   PARTS="axes voice" only these (axes, talk-off, cost, voice)
#   SEED=7             other digits, noises and phases
#   VOICES="a.list"    other voices for the voice detector: on each line a WAV (8 kHz, S16, mono, 44 bytes of header)

BENCH_DSP_FLAGS := $(filter-out -MMD -MP,$(CFLAGS_RELEASE)) -Inative -Ibench/dsp
BENCH_DSP_DTMF := native/dsp_dtmf.c native/dsp_dtmf_judge.c native/dsp_dtmf_measure.c native/dsp_dtmf_tones.c native/dsp_dtmf_correlate.c
BENCH_DSP_PEERS := $(addprefix bench/dsp/,peer_ours.c peer_spandsp.c peer_goertzel.c)
BENCH_DSP_VAD := native/dsp_vad.c bench/dsp/vad_peers.c bench/dsp/vad_corpus.c
BENCH_DSP_PROGRAMS := $(addprefix build/bench/dsp/,bench_dtmf talkoff vad_bench)

.PHONY: bench-dsp

bench-dsp: setup-bench $(BENCH_DSP_PROGRAMS) ## DTMF and voice detection beside spandsp, Goertzel and WebRTC
	@$(BUN) bench/dsp/run.ts $(PARTS)

build/bench/dsp/bench_dtmf build/bench/dsp/talkoff: $(BENCH_DSP_DTMF) $(BENCH_DSP_PEERS)
build/bench/dsp/vad_bench: $(BENCH_DSP_VAD)

build/bench/dsp/%: bench/dsp/%.c $(wildcard bench/dsp/*.h native/dsp_*.h) | setup-bench
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) $(BENCH_DSP_FLAGS) $(filter %.c,$^) -o $@ $(if $(filter %/vad_bench,$@),-ldl,-lspandsp) -lm
