/* vad_peers.h — the detectors that are measured, behind one call. */
#ifndef VAD_PEERS_H
#define VAD_PEERS_H

#include <stdint.h>

enum vad_peer { VAD_OURS, VAD_THRESHOLD, VAD_WEBRTC_0, VAD_WEBRTC_1, VAD_WEBRTC_2, VAD_WEBRTC_3, VAD_PEERS };

/* How many of them are here: without Debian's libwebrtc-audio-processing1 the last four are not. */
int vad_peers_open(void);
const char *vad_peer_name(enum vad_peer peer);
/* voice gets 0 or 1 for each frame of 20 ms, decided when the frame is heard. */
void vad_peer_run(enum vad_peer peer, const int16_t *samples, int frames, uint8_t *voice);

#endif
