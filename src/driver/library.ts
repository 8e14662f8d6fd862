/**
 * The shim, loaded. The only file that knows bun:ffi: everything above it sees plain functions over numbers
 * and typed arrays. native/dahdi_shim.h is the manual of each call.
 */
import { dlopen, FFIType, type Pointer } from "bun:ffi";
import { readFileSync } from "node:fs";
import { ABI_VERSION } from "./abi.gen";

const { i32, u32, f64, ptr, cstring, void: none } = FFIType;

const SYMBOLS = {
  dshim_abi_version: { args: [], returns: i32 },
  dshim_create: { args: [i32], returns: ptr },
  dshim_set_option: { args: [ptr, i32, i32], returns: i32 },
  dshim_add_dahdi: { args: [ptr, cstring, i32], returns: i32 },
  dshim_add_sim: { args: [ptr], returns: i32 },
  dshim_progress_tones: { args: [ptr, ptr, i32], returns: i32 },
  dshim_start: { args: [ptr], returns: i32 },
  dshim_destroy: { args: [ptr], returns: none },
  dshim_step: { args: [ptr, i32], returns: i32 },
  dshim_now_ns: { args: [ptr], returns: f64 },
  dshim_doorbell: { args: [ptr], returns: i32 },
  dshim_drain: { args: [ptr, ptr, i32], returns: i32 },
  dshim_line_stats: { args: [ptr, i32, ptr], returns: i32 },
  dshim_engine_stats: { args: [ptr, ptr], returns: i32 },
  dshim_ring: { args: [ptr, i32, ptr, i32, i32, i32], returns: i32 },
  dshim_ring_data: { args: [ptr, i32, ptr, i32, i32, i32, ptr, i32, i32, i32], returns: i32 },
  dshim_data_send: { args: [ptr, i32, ptr, i32, i32, i32], returns: i32 },
  dshim_message_waiting: { args: [ptr, i32, i32], returns: i32 },
  dshim_ring_stop: { args: [ptr, i32], returns: i32 },
  dshim_play_begin: { args: [ptr, i32, i32, i32, f64], returns: i32 },
  dshim_play_end: { args: [ptr, i32, i32, i32, f64], returns: i32 },
  dshim_play_write: { args: [ptr, i32, i32, ptr, i32], returns: i32 },
  dshim_play_position: { args: [ptr, i32, i32], returns: f64 },
  dshim_play_flush: { args: [ptr, i32, i32], returns: i32 },
  dshim_play_skip: { args: [ptr, i32, i32, f64], returns: i32 },
  dshim_play_hold: { args: [ptr, i32, i32, i32], returns: i32 },
  dshim_play_barge: { args: [ptr, i32, i32, i32, i32], returns: i32 },
  dshim_bridge: { args: [ptr, i32, i32], returns: i32 },
  dshim_talk_open: { args: [ptr, i32, i32, i32, i32], returns: i32 },
  dshim_talk_close: { args: [ptr, i32, i32], returns: i32 },
  dshim_talk_stats: { args: [ptr, i32, i32, ptr], returns: i32 },
  dshim_tap_open: { args: [ptr, i32, i32], returns: i32 },
  dshim_tap_close: { args: [ptr, i32], returns: i32 },
  dshim_tap_read: { args: [ptr, i32, ptr, i32], returns: i32 },
  dshim_tone_render: { args: [ptr, i32, i32, f64, ptr, i32], returns: i32 },
  dshim_sim_hook: { args: [ptr, i32, i32], returns: i32 },
  dshim_sim_flash: { args: [ptr, i32, i32], returns: i32 },
  dshim_sim_press: { args: [ptr, i32, cstring, i32, i32, i32, i32], returns: i32 },
  dshim_sim_pulse: { args: [ptr, i32, cstring, i32, i32], returns: i32 },
  dshim_sim_mic_write: { args: [ptr, i32, ptr, i32], returns: i32 },
  dshim_sim_mic_end: { args: [ptr, i32], returns: i32 },
  dshim_sim_voltage: { args: [ptr, i32, i32], returns: i32 },
  dshim_sim_plug: { args: [ptr, i32, i32], returns: i32 },
  dshim_sim_ear: { args: [ptr, i32, ptr, i32], returns: i32 },
  dshim_sim_state: { args: [ptr, i32, ptr], returns: i32 },
  dshim_probe: { args: [cstring, i32, ptr], returns: i32 },
  dshim_sd_notify: { args: [cstring], returns: i32 },
  dshim_refuse_clients: { args: [i32, i32, i32, i32], returns: i32 },
} as const;

export type Shim = ReturnType<typeof dlopen<typeof SYMBOLS>>["symbols"];
export type EngineHandle = Pointer;

/** A C string for an argument: the callee copies it before it returns. */
export const cString = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

const LIBC_SYMBOLS = {
  memfd_create: { args: [cstring, u32], returns: i32 },
  write: { args: [i32, ptr, FFIType.u64], returns: FFIType.i64 },
  close: { args: [i32], returns: i32 },
} as const;
const MFD_CLOEXEC = 1; /* <linux/memfd.h> */

let loaded: Promise<Shim> | undefined;

/**
 * Loads the library that lies inside the executable. It goes through an anonymous memory file, because a
 * library extracted to /tmp is not to be had where /tmp is mounted noexec or the disk is read-only.
 */
export function loadShim(): Promise<Shim> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Shim> {
  // The bundler folds the condition for its target, so that only one of the two is embedded.
  const library =
    process.arch === "arm64"
      ? await import("../../build/native/arm64/libdahdi_shim.so", { with: { type: "file" } })
      : await import("../../build/native/x64/libdahdi_shim.so", { with: { type: "file" } });
  const image = readFileSync(library.default);
  const libc = dlopen("libc.so.6", LIBC_SYMBOLS).symbols;
  const descriptor = libc.memfd_create(cString("dahdi_shim"), MFD_CLOEXEC);
  if (descriptor < 0) throw new Error("memfd_create failed: this needs Linux 3.17 or newer");
  let written = 0;
  while (written < image.length) {
    const rest = image.subarray(written);
    const count = Number(libc.write(descriptor, rest, rest.length));
    if (count <= 0) throw new Error("writing the native library to memory failed: is memory short?");
    written += count;
  }
  const shim = dlopen(`/proc/self/fd/${descriptor}`, SYMBOLS).symbols;
  libc.close(descriptor);
  const version = shim.dshim_abi_version();
  if (version !== ABI_VERSION) {
    throw new Error(`the native library speaks ABI ${version}, this program ${ABI_VERSION}: run make native`);
  }
  return shim;
}
