# libFuzzer on the DSP blocks, under the address and undefined-behaviour sanitizers. Included by native.mk.
#   make fuzz FUZZ_SECONDS=600     long, on demand; what was found lies in build/fuzz/NAME-*

FUZZ_CC ?= clang
FUZZ_SECONDS ?= 10
FUZZERS := $(notdir $(basename $(wildcard test/fuzz/*_fuzz.c)))
FUZZ_FLAGS := -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 -g -Inative \
  -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

.PHONY: fuzz

build/fuzz/%: test/fuzz/%.c test/fuzz/fuzz.h $(DSP_SOURCES:%=native/%) $(wildcard native/dsp_*.h)
	@mkdir -p $@.corpus
	@echo "  FUZZ $@"
	@$(FUZZ_CC) $(FUZZ_FLAGS) $< $(DSP_SOURCES:%=native/%) -o $@ -lm

# TAP: one line for each fuzzer.
fuzz: $(FUZZERS:%=build/fuzz/%)
	@number=0; failed=0; for program in $^; do number=$$((number + 1)); \
	  if $$program -max_total_time=$(FUZZ_SECONDS) -max_len=8192 -timeout=10 -print_final_stats=1 \
	    -artifact_prefix=$$program- $$program.corpus >$$program.log 2>&1; then \
	    echo "ok $$number - $$program: $$(sed -n 's/stat::number_of_executed_units: *//p' $$program.log) inputs"; \
	  else failed=1; echo "not ok $$number - $$program"; tail -n 30 $$program.log | sed 's/^/# /'; fi; \
	done; exit $$failed
