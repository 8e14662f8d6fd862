# The voice activity detector beside its peers, on recorded speech; then what a frame of it costs.
# Included by the top Makefile. BENCH_VAD_LISTS="a.list b.list" measures other voices: a path of a WAV (8 kHz, S16,
# mono, 44 bytes of header) on each line.

BENCH_VAD_SECONDS ?= 300
BENCH_VAD_LISTS ?=
BENCH_VAD_OBJECTS := $(addprefix build/bench/dsp/,vad_bench.o vad_peers.o vad_corpus.o) build/native/x64/dsp_vad.o
FRAME_COST_FRAMES := 10000

.PHONY: bench-vad

build/bench/dsp/%.o: bench/dsp/%.c
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_NATIVE) -O2 -Inative -c $< -o $@

build/bench/dsp/vad_bench: $(BENCH_VAD_OBJECTS)
	@$(CC) $^ -o $@ -lm -ldl

# The instructions of dsp_vad_process alone, over 200 s of recorded speech in 20 ms frames.
bench-vad: build/bench/dsp/vad_bench dist/vad-cli ## voice detection by condition, beside WebRTC's, and what it costs
	@lists="$(BENCH_VAD_LISTS)"; lists="$${lists:-$$(bench/dsp/vad_speech.sh)}"; \
	if [ -z "$$lists" ]; then echo "# SKIP bench-vad: no recorded speech"; exit 0; fi; \
	build/bench/dsp/vad_bench build/bench/vad.csv $(BENCH_VAD_SECONDS) $$lists || exit 1; \
	if ! command -v valgrind >/dev/null; then echo "# SKIP instructions per frame: no valgrind"; exit 0; fi; \
	cat $$lists | head -n 400 | while read -r wav; do tail -c +45 "$$wav"; done | \
	  head -c $$(($(FRAME_COST_FRAMES) * 320)) >build/bench/vad.raw; \
	valgrind --tool=callgrind --toggle-collect=dsp_vad_process --callgrind-out-file=build/bench/vad.callgrind \
	  dist/vad-cli build/bench/vad.raw 2>&1 >/dev/null | \
	  awk -v frames=$$(($$(wc -c <build/bench/vad.raw) / 320)) \
	    '/Collected/ { printf "instructions per 20 ms frame: %.0f\n", $$4 / frames }'

-include $(wildcard build/bench/dsp/*.d)
