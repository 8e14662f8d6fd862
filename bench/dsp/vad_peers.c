#include "vad_peers.h"

#include <dlfcn.h>
#include <stddef.h>

#include "dsp_level.h"
#include "dsp_vad.h"
#include "vad_corpus.h"

#define LIBRARY        "libwebrtc_audio_processing.so.1"
#define THRESHOLD_DBFS 1e-5 /* −50 dB of a full-scale square's power */

/* WebRTC's VAD has a C interface that the library exports and its headers do not declare. */
static struct {
  void *(*create)(void);
  int (*init)(void *vad);
  int (*set_mode)(void *vad, int mode);
  int (*process)(void *vad, int rate_hz, const int16_t *samples, size_t count);
  void (*destroy)(void *vad);
} webrtc;

int vad_peers_open(void) {
  void *library = dlopen(LIBRARY, RTLD_NOW);
  if (!library) return VAD_WEBRTC_0;
  *(void **)&webrtc.create = dlsym(library, "WebRtcVad_Create");
  *(void **)&webrtc.init = dlsym(library, "WebRtcVad_Init");
  *(void **)&webrtc.set_mode = dlsym(library, "WebRtcVad_set_mode");
  *(void **)&webrtc.process = dlsym(library, "WebRtcVad_Process");
  *(void **)&webrtc.destroy = dlsym(library, "WebRtcVad_Free");
  int whole = webrtc.create && webrtc.init && webrtc.set_mode && webrtc.process && webrtc.destroy;
  return whole ? VAD_PEERS : VAD_WEBRTC_0;
}

const char *vad_peer_name(enum vad_peer peer) {
  static const char *const names[VAD_PEERS] = {"ours", "-50 dBFS", "webrtc 0", "webrtc 1", "webrtc 2", "webrtc 3"};
  return names[peer];
}

static void run_ours(const int16_t *samples, int frames, uint8_t *voice) {
  struct dsp_vad vad;
  struct dsp_vad_event events[3];
  dsp_vad_init(&vad);
  for (int f = 0; f < frames; f++) {
    dsp_vad_process(&vad, &samples[f * VAD_FRAME], VAD_FRAME, events, 3);
    voice[f] = (uint8_t)dsp_vad_active(&vad);
  }
}

static void run_threshold(const int16_t *samples, int frames, uint8_t *voice) {
  for (int f = 0; f < frames; f++) {
    double sum = 0;
    for (int i = 0; i < VAD_FRAME; i++) sum += (double)samples[f * VAD_FRAME + i] * samples[f * VAD_FRAME + i];
    voice[f] = sum / VAD_FRAME > DSP_FULL_SCALE * DSP_FULL_SCALE * THRESHOLD_DBFS;
  }
}

static void run_webrtc(int mode, const int16_t *samples, int frames, uint8_t *voice) {
  void *vad = webrtc.create();
  webrtc.init(vad);
  webrtc.set_mode(vad, mode);
  for (int f = 0; f < frames; f++) {
    voice[f] = webrtc.process(vad, 8000, &samples[f * VAD_FRAME], VAD_FRAME) == 1;
  }
  webrtc.destroy(vad);
}

void vad_peer_run(enum vad_peer peer, const int16_t *samples, int frames, uint8_t *voice) {
  if (peer == VAD_OURS) run_ours(samples, frames, voice);
  else if (peer == VAD_THRESHOLD) run_threshold(samples, frames, voice);
  else run_webrtc((int)peer - VAD_WEBRTC_0, samples, frames, voice);
}
