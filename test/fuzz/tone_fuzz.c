/* dsp_tone with any numbers that the shim lets through: no sample is ever out of range or left unwritten. */
#include <math.h>

#include "dsp_tone.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  double numbers[DSP_TONE_MAX + 1] = {0};
  if (size < 2) return 0;
  int tones = 1 + data[0] % DSP_TONE_MAX;
  int32_t level_cdbm0 = (int32_t)(data[1] * 100) - 12000;
  memcpy(numbers, data + 2, size - 2 < sizeof(numbers) ? size - 2 : sizeof(numbers));
  double amplitudes[DSP_TONE_MAX];
  for (int t = 0; t < tones; t++) {
    if (!(numbers[t] > 0.0) || !(numbers[t] < 4000.0)) return 0;
    amplitudes[t] = dsp_tone_amplitude(level_cdbm0);
    MUST(isfinite(amplitudes[t]) && amplitudes[t] >= 0.0);
  }
  double start = numbers[DSP_TONE_MAX];
  if (!(start >= 0.0) || start > 9e15) return 0;
  int16_t out[256];
  memset(out, 0x55, sizeof(out));
  dsp_tone_render(numbers, amplitudes, tones, start, out, 255);
  MUST(out[255] == 0x5555);
  return 0;
}
