# The clients that measure events. Included by the top Makefile; bench/soak/ws_readers.ts asks for it.
build/bench/soak/ws_readers: bench/soak/ws_readers.c bench/soak/ws_ledger.c bench/soak/ws_socket.c $(wildcard bench/soak/*.h)
	@mkdir -p $(@D)
	@echo "  CC $@"
	@$(CC) $(filter-out -MMD -MP,$(CFLAGS_RELEASE)) $(filter %.c,$^) -o $@
