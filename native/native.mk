# The native side: the shared library for each architecture, the detectors' command lines, the tests.
# Included by the top Makefile; every object lies under build/, every dependency is tracked.

CC ?= gcc
CC_ARM64 ?= aarch64-linux-gnu-gcc
CFLAGS_NATIVE := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wconversion -fvisibility=hidden -MMD -MP
CFLAGS_RELEASE := $(CFLAGS_NATIVE) -O3 -fPIC -fno-math-errno -fno-trapping-math
LDLIBS_NATIVE := -lm -lpthread

DSP_SOURCES := dsp_dtmf.c dsp_dtmf_judge.c dsp_dtmf_measure.c dsp_dtmf_tones.c dsp_dtmf_correlate.c dsp_vad.c dsp_tone.c dsp_progress.c dsp_progress_plan.c tone_cadence.c
SHIM_SOURCES := libdahdi_shim.c shim_process.c shim_ring.c shim_sim.c engine.c line.c line_blocks.c line_voltage.c line_data.c line_hook.c line_ring.c line_stats.c line_hear.c line_play.c line_bridge.c bridge.c lanes.c talker.c playout.c playout_skips.c shim_play.c line_tap.c shim_tap.c line_progress.c watchdog.c pulse_train.c ring_cadence.c chan_sim.c sim_hooksig.c chan_dahdi.c probe.c sim_phone.c $(DSP_SOURCES)

LIB_X64 := build/native/x64/libdahdi_shim.so
LIB_ARM64 := build/native/arm64/libdahdi_shim.so

.PHONY: native-lib native-lib-arm64 native-cli native-abi native-abi-check native-test

native-lib: $(LIB_X64)
native-lib-arm64: $(LIB_ARM64)
native-cli: dist/dtmf-cli dist/vad-cli dist/progress-cli

build/native/x64/%.o: native/%.c
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) $(CFLAGS_RELEASE) -c $< -o $@

build/native/arm64/%.o: native/%.c
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC_ARM64) $(CFLAGS_RELEASE) -c $< -o $@

# 64 KiB pages on purpose: a Raspberry Pi 5 runs 16 KiB pages and refuses a library laid out for 4 KiB.
$(LIB_X64): $(SHIM_SOURCES:%.c=build/native/x64/%.o)
	@echo "  LD $@"
	@$(CC) -shared -Wl,-z,max-page-size=65536 -Wl,-z,defs -s $^ -o $@ $(LDLIBS_NATIVE)

$(LIB_ARM64): $(SHIM_SOURCES:%.c=build/native/arm64/%.o)
	@echo "  LD $@"
	@$(CC_ARM64) -shared -Wl,-z,max-page-size=65536 -Wl,-z,defs -s $^ -o $@ $(LDLIBS_NATIVE)

dist/dtmf-cli: build/native/x64/dtmf_cli.o $(DSP_SOURCES:%.c=build/native/x64/%.o)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $^ -o $@ $(LDLIBS_NATIVE)

dist/vad-cli: build/native/x64/vad_cli.o $(DSP_SOURCES:%.c=build/native/x64/%.o)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $^ -o $@ $(LDLIBS_NATIVE)

dist/progress-cli: build/native/x64/progress_cli.o $(DSP_SOURCES:%.c=build/native/x64/%.o)
	@mkdir -p $(@D)
	@echo "  LD $@"
	@$(CC) $^ -o $@ $(LDLIBS_NATIVE)

build/native/abi_dump: native/abi_dump.c native/dahdi_shim.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_NATIVE) $< -o $@

native-abi: build/native/abi_dump
	build/native/abi_dump > src/driver/abi.gen.ts

native-abi-check: build/native/abi_dump
	@build/native/abi_dump | diff -u src/driver/abi.gen.ts - || \
	  { echo "src/driver/abi.gen.ts is not what native/dahdi_shim.h says: run make native-abi"; exit 1; }

# ---- tests: every test/native/*_test.c, plain and under the sanitizers; each prints TAP -------------

NATIVE_TESTS := $(notdir $(basename $(wildcard test/native/*_test.c)))
# The tests that run threads: the others have nothing for the thread sanitizer to see.
THREADED_TESTS := spsc_ring_test engine_realtime_test line_tap_test watchdog_test
SANITIZE_asan := -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZE_tsan := -fsanitize=thread
CFLAGS_plain := $(CFLAGS_NATIVE) -O2 -g
CFLAGS_asan := $(CFLAGS_NATIVE) -O1 -g $(SANITIZE_asan)
CFLAGS_tsan := $(CFLAGS_NATIVE) -O1 -g $(SANITIZE_tsan)
# A fake kernel stands in for open, ioctl, read, write and close of chan_dahdi.c.
WRAP_chan_dahdi_test := -Wl,--wrap=open,--wrap=ioctl,--wrap=read,--wrap=write,--wrap=close
WRAP_SOURCES_chan_dahdi_test := chan_dahdi.c
WRAP_probe_test := -Wl,--wrap=open,--wrap=ioctl,--wrap=close

define native_variant
build/native/$(1)/%.o: native/%.c
	@mkdir -p $$(@D)
	@echo "  CC $$@"
	@$$(CC) $$(CFLAGS_$(1)) -c $$< -o $$@

build/native/$(1)/test_%.o: test/native/%.c
	@mkdir -p $$(@D)
	@echo "  CC $$@"
	@$$(CC) $$(CFLAGS_$(1)) -Inative -c $$< -o $$@

build/native/$(1)/%_test: build/native/$(1)/test_%_test.o $$(SHIM_SOURCES:%.c=build/native/$(1)/%.o)
	@echo "  LD $$@"
	@$$(CC) $$(SANITIZE_$(1)) $$(WRAP_$$(notdir $$@)) $$^ -o $$@ $$(LDLIBS_NATIVE)
endef
$(foreach variant,plain asan tsan,$(eval $(call native_variant,$(variant))))
.SECONDARY:

NATIVE_TEST_PROGRAMS := $(foreach test,$(NATIVE_TESTS),build/native/plain/$(test) build/native/asan/$(test)) \
  $(THREADED_TESTS:%=build/native/tsan/%)

# setarch -R: the thread sanitizer's shadow memory does not fit every address layout of a new kernel.
native-test: $(NATIVE_TEST_PROGRAMS)
	@failed=0; for program in $^; do \
	  echo "# $$program"; setarch -R $$program || failed=1; \
	done; \
	$(MAKE) --no-print-directory native-test-twins || failed=1; exit $$failed

# The DTMF detector for SSE2, for NEON and for neither hears the same, digit for digit.
TWINS_SOURCES := test/native/dsp_dtmf_twins_test.c $(addprefix native/,dsp_dtmf.c dsp_dtmf_judge.c dsp_dtmf_measure.c dsp_dtmf_tones.c dsp_dtmf_correlate.c)
build/native/twins_simd: CC_TWIN = $(CC)
build/native/twins_scalar: CC_TWIN = $(CC) -DDSP_SCALAR
build/native/twins_neon: CC_TWIN = $(CC_ARM64) -static
build/native/twins_%: $(TWINS_SOURCES) $(wildcard native/dsp_dtmf*.h bench/dsp/*.h)
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC_TWIN) $(filter-out -MMD -MP,$(CFLAGS_RELEASE)) -Inative $(filter %.c,$^) -o $@ $(LDLIBS_NATIVE)

.PHONY: native-test-twins
native-test-twins: build/native/twins_simd build/native/twins_scalar
	@build/native/twins_simd --digits > build/native/twins_simd.txt
	@build/native/twins_scalar --digits > build/native/twins_scalar.txt
	@cmp build/native/twins_simd.txt build/native/twins_scalar.txt && echo "ok 1 - the scalar build hears the same"
	@if command -v $(CC_ARM64) qemu-aarch64-static >/dev/null; then \
	  $(MAKE) --no-print-directory build/native/twins_neon && qemu-aarch64-static build/native/twins_neon && \
	  qemu-aarch64-static build/native/twins_neon --digits > build/native/twins_neon.txt && \
	  cmp build/native/twins_simd.txt build/native/twins_neon.txt && echo "ok 2 - the NEON build hears the same"; \
	else echo "ok 2 - the NEON build hears the same # SKIP needs $(CC_ARM64) and qemu-aarch64-static"; fi
	@echo "1..2"

include test/fuzz/fuzz.mk

-include $(wildcard build/native/*/*.d)
