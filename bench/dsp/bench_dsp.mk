# The detectors beside their peers, on the same samples. Included by the top Makefile.

BENCH_DSP_FLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wconversion -O3 -fno-math-errno -fno-trapping-math -Inative -Ibench/dsp
BENCH_DSP_DTMF := native/dsp_dtmf.c native/dsp_dtmf_judge.c native/dsp_dtmf_tones.c
BENCH_DSP_PEERS := $(addprefix bench/dsp/,peer_ours.c peer_spandsp.c peer_goertzel.c)

.PHONY: bench-dsp bench-dsp-setup

bench-dsp: bench-dsp-setup build/bench/bench-dtmf build/bench/talkoff ## the DTMF detector beside spandsp and Goertzel
	@sh bench/dsp/run.sh

bench-dsp-setup:
	@echo '#include <spandsp.h>' | $(CC) -E - >/dev/null 2>&1 || \
	  apt-get install -y -qq --no-install-recommends libspandsp-dev espeak-ng sox libsox-fmt-all valgrind >/dev/null 2>&1 || \
	  echo "bench-dsp: needs libspandsp-dev, and espeak-ng, sox, libsox-fmt-all, valgrind for all of it: apt-get install them"

build/bench/bench-dtmf: bench/dsp/bench_dtmf.c $(BENCH_DSP_DTMF) $(BENCH_DSP_PEERS) $(wildcard bench/dsp/*.h native/dsp_*.h) | bench-dsp-setup
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) $(BENCH_DSP_FLAGS) $(filter %.c,$^) -o $@ -lspandsp -lm

build/bench/talkoff: bench/dsp/talkoff.c $(BENCH_DSP_DTMF) $(BENCH_DSP_PEERS) $(wildcard bench/dsp/*.h native/dsp_*.h) | bench-dsp-setup
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) $(BENCH_DSP_FLAGS) $(filter %.c,$^) -o $@ -lspandsp -lm
