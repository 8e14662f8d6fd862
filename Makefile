# One target for each intent. `make help` lists them.

BUN := node_modules/.bin/bun
.DEFAULT_GOAL := help

.PHONY: help run test check rig bench soak dist deb native clean setup setup-test setup-bench

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup native-lib ## serve simulated telephones on http://127.0.0.1:8000 (everything is set up first)
	@$(BUN) src/main.ts serve --simulate=4

test: setup-test ## run everything: checks, native, unit, contract, end to end, browser, arm64
	@$(BUN) test/run.ts

check: setup-test ## formats, lints, types, ABI, import arrows
	@$(BUN) test/run.ts check

rig: dist ## the executable on DAHDI's own driver, in QEMU (make rig GUESTS="x64 arm64/vfxs"); report in dist/
	@$(BUN) test/rig/rig.ts $(GUESTS)

bench: setup-bench native dist ## measure, beside peers in the same run; fails where a bar is missed, after all of it
	@status=0; for part in run event_log decoders stalls voice; do $(BUN) bench/$$part.ts || status=1; done; exit $$status

dist: setup-test native-lib native-lib-arm64 ## dist/dahdi-phone-api-linux-{x64,arm64}
	@$(BUN) tools/dist.ts

soak: setup-test dist ## a crowd of 1,000, 200 times kill -9, 300,000 requests and 100,000 frames of nonsense (make soak MINUTES=60)
	@$(BUN) bench/soak/soak.ts --minutes=$(or $(MINUTES),3)

deb: dist ## dist/dahdi-phone-api_*.deb for amd64 and arm64
	@$(BUN) tools/deb.ts

native: native-lib native-cli ## the shared library, dist/dtmf-cli, dist/vad-cli

clean: ## what was built
	rm -rf build dist

setup:
	@tools/setup.sh run

setup-test:
	@tools/setup.sh test

setup-bench:
	@tools/setup.sh bench

# The compiler may be what setup installs.
native-lib native-lib-arm64 native-cli: | setup

include native/native.mk
include bench/dsp/bench_dsp.mk
include bench/soak/ws_readers.mk
