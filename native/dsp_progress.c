#include "dsp_progress.h"

#include <math.h>
#include <string.h>

#include "dsp_level.h"

#define SOUNDS_SHARE  0.8F  /* of the block's energy: noise 8 dB below, and CED off by 1 % */
#define SENT_SHARE    0.5F  /* surer to be known for ours than to be told */
#define PRESENT_SHARE 0.1F  /* of each sine, of the energy of 60 ms: a twist of 6 dB, off by 1 % */
#define PAUSES_BELOW  0.1F  /* of its energy */
#define STEADY        3.16F /* times its energy, either way: 5 dB */
#define BEGIN_BLOCKS  2
#define DOUBT         5 /* more is no doubt: three blocks in a row */
/* An echo is heard later than it is sent by the card's queue, at most 120 ms, and the hybrid's tail. */
#define ECHO_SAMPLES   2400
#define FORGET_SAMPLES (12 * 8000) /* longer than any pause of a cadence */

enum verdict { PAUSES, SOUNDS, OTHER };

void dsp_progress_reset(struct dsp_progress *progress) {
  memset(progress, 0, sizeof(*progress));
  progress->active = -1;
}

/* Is each sine there, by the present block and the two before in one phase? */
static bool all_present(const struct dsp_progress_plan *plan, const struct dsp_progress_sound *sound,
                        const struct dsp_progress *progress, const struct dsp_progress_spectrum *spectrum) {
  float energy = spectrum->energy + progress->earlier_energy[0] + progress->earlier_energy[1];
  for (int k = 0; k < sound->sines; k++) {
    int32_t f = sound->frequency[k];
    const float *turn = plan->turn[f];
    float re = 0.0F;
    float im = 0.0F;
    for (int before = 1; before >= 0; before--) {
      re += progress->earlier[before][f][0];
      im += progress->earlier[before][f][1];
      float turned = re * turn[0] - im * turn[1];
      im = re * turn[1] + im * turn[0];
      re = turned;
    }
    for (int u = 0; u < DSP_PROGRESS_UNITS; u++) {
      re += spectrum->line[f].re[u];
      im -= spectrum->line[f].im[u];
    }
    if ((re * re + im * im) * 2.0F / (3 * DSHIM_BLOCK_SAMPLES) < PRESENT_SHARE * energy) return false;
  }
  return true;
}

static void remember(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                     const struct dsp_progress_spectrum *spectrum) {
  progress->earlier_energy[1] = progress->earlier_energy[0];
  progress->earlier_energy[0] = spectrum->energy;
  memcpy(progress->earlier[1], progress->earlier[0], sizeof(progress->earlier[0]));
  memset(progress->earlier[0], 0, sizeof(progress->earlier[0]));
  if (spectrum->energy == 0.0F) return;
  for (int32_t f = 0; f < plan->frequencies; f++) {
    for (int u = 0; u < DSP_PROGRESS_UNITS; u++) {
      progress->earlier[0][f][0] += spectrum->line[f].re[u];
      progress->earlier[0][f][1] -= spectrum->line[f].im[u];
    }
  }
}

static enum verdict judge(const struct dsp_progress_plan *plan, const struct dsp_progress *progress, int s,
                          const struct dsp_progress_spectrum *spectrum) {
  const struct dsp_progress_sound *sound = &plan->sound[s];
  const struct dsp_progress_follow *follow = &progress->follow[s];
  if (spectrum->energy == 0.0F || progress->samples < follow->sent_until_sample) return PAUSES;
  if (dsp_progress_share(sound, spectrum) >= SOUNDS_SHARE) {
    bool one = sound->sines == 1;
    bool steady = !follow->runs.known || !follow->runs.on || !(one || sound->apart) ||
                  (spectrum->energy < follow->energy * STEADY && spectrum->energy * STEADY > follow->energy);
    if (steady && (!sound->apart || one || all_present(plan, sound, progress, spectrum))) return SOUNDS;
  }
  return follow->runs.known && spectrum->energy < follow->energy * PAUSES_BELOW ? PAUSES : OTHER;
}

/* How many samples of a block with this energy were the sound's. */
static int64_t samples_of(float energy, float sounding) {
  float part = sounding > 0.0F ? energy / sounding : 0.0F;
  return (int64_t)(DSHIM_BLOCK_SAMPLES * (part > 1.0F ? 1.0F : part));
}

/* Two blocks that sound begin a run, and with it what of the block before them sounded already. */
static bool begins(struct dsp_progress *progress, struct dsp_progress_follow *follow, enum verdict verdict,
                   float energy) {
  if (verdict != SOUNDS) {
    follow->beginning = 0;
    return false;
  }
  if (++follow->beginning == 1) {
    follow->turned_sample =
        progress->samples - DSHIM_BLOCK_SAMPLES - samples_of(progress->previous_energy, energy);
  }
  return follow->beginning == BEGIN_BLOCKS;
}

static void follow_run(struct dsp_progress *progress, struct dsp_progress_follow *follow, enum verdict verdict,
                       float energy) {
  struct tone_runs *runs = &follow->runs;
  if (!runs->known || !runs->on) {
    if (begins(progress, follow, verdict, energy)) {
      follow->energy = energy;
      if (runs->known) tone_runs_turn(runs, follow->turned_sample);
      else tone_runs_begin(runs, follow->turned_sample);
      follow->doubt = 0;
      return;
    }
    if (!runs->known) return;
    follow->doubt = verdict == OTHER ? follow->doubt + 2 : follow->doubt > 0 ? follow->doubt - 1 : 0;
    if (follow->doubt <= DOUBT && progress->samples - runs->began_sample <= FORGET_SAMPLES) return;
    follow->turned_sample = runs->began_sample;
    runs->known = false;
    return;
  }
  if (verdict == SOUNDS) {
    follow->energy += (energy - follow->energy) / 4.0F;
    if (follow->doubt > 0) follow->doubt--;
    return;
  }
  if (follow->doubt == 0) {
    follow->turned_sample = progress->samples - DSHIM_BLOCK_SAMPLES + samples_of(energy, follow->energy);
  }
  follow->doubt += 2;
  if (follow->doubt <= DOUBT) return;
  follow->doubt = 0;
  follow->beginning = 0;
  if (verdict == PAUSES) tone_runs_turn(runs, follow->turned_sample);
  else runs->known = false;
}

static struct dsp_progress_event event_of(const struct dsp_progress_plan *plan,
                                          const struct dsp_progress *progress, int64_t at_sample, bool active) {
  float energy = progress->follow[plan->sound_of[progress->active]].energy;
  return (struct dsp_progress_event){.at_sample = at_sample,
                                     .began_sample = progress->active_began_sample,
                                     .id = plan->tone[progress->active].id,
                                     .active = active,
                                     .level_cdbm0 = dsp_level_cdbm0((double)energy / DSHIM_BLOCK_SAMPLES)};
}

/* Where a tone ended that does not go on: where it was heard last. */
static int64_t ended_sample(const struct dsp_progress *progress, const struct dsp_progress_follow *follow) {
  const struct tone_runs *runs = &follow->runs;
  if (!runs->known) return follow->turned_sample;
  return runs->on ? progress->samples : runs->began_sample;
}

static struct dsp_progress_event end_active(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                                            int64_t at_sample) {
  struct dsp_progress_event event = event_of(plan, progress, at_sample, false);
  progress->active = -1;
  return event;
}

/* The tone that is sure now, other than what sounds like the active one; −1 none. */
static int32_t surest(const struct dsp_progress_plan *plan, const struct dsp_progress *progress,
                      struct tone_fit *best) {
  int32_t found = -1;
  best->off = INFINITY;
  for (int t = 0; t < plan->tones; t++) {
    struct tone_fit fit;
    const struct tone_runs *runs = &progress->follow[plan->sound_of[t]].runs;
    if (progress->active >= 0 && plan->sound_of[t] == plan->sound_of[progress->active]) continue;
    if (!tone_cadence_sure(&plan->tone[t], plan->sure_samples[t], runs, progress->samples, &fit)) continue;
    if (fit.off >= best->off) continue;
    *best = fit;
    found = t;
  }
  return found;
}

static int tell(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                struct dsp_progress_event *out) {
  int count = 0;
  bool sounds = false;
  if (progress->active >= 0) {
    const struct dsp_progress_follow *follow = &progress->follow[plan->sound_of[progress->active]];
    bool goes_on = tone_cadence_goes_on(&plan->tone[progress->active], &follow->runs, progress->samples);
    if (!goes_on) out[count++] = end_active(plan, progress, ended_sample(progress, follow));
    sounds = goes_on && follow->runs.on;
  }
  if (sounds) return count;
  struct tone_fit fit;
  int32_t tone = surest(plan, progress, &fit);
  if (tone < 0) return count;
  /* In the pause of one another is sure: that one is over. */
  if (progress->active >= 0) {
    const struct dsp_progress_follow *follow = &progress->follow[plan->sound_of[progress->active]];
    out[count++] = end_active(plan, progress, ended_sample(progress, follow));
  }
  progress->active = tone;
  progress->active_began_sample = fit.began_sample;
  out[count++] = event_of(plan, progress, progress->samples, true);
  return count;
}

/* Then a quiet block changes nothing. */
static bool nothing_is_followed(const struct dsp_progress_plan *plan, const struct dsp_progress *progress) {
  bool any = progress->active >= 0 || progress->earlier_energy[0] > 0.0F || progress->earlier_energy[1] > 0.0F;
  for (int s = 0; s < plan->sounds; s++) {
    any = any || progress->follow[s].runs.known || progress->follow[s].beginning > 0;
  }
  return !any;
}

int dsp_progress_block(const struct dsp_progress_plan *plan, struct dsp_progress *progress, const int16_t *samples,
                       struct dsp_progress_event *out) {
  struct dsp_progress_spectrum spectrum;
  float quick_energy;
  progress->samples += DSHIM_BLOCK_SAMPLES;
  bool loud = dsp_progress_transform(plan, samples, &spectrum, &quick_energy);
  if (!loud && progress->idle) {
    progress->previous_energy = quick_energy;
    return 0;
  }
  for (int s = 0; s < plan->sounds; s++) {
    follow_run(progress, &progress->follow[s], judge(plan, progress, s, &spectrum), quick_energy);
  }
  remember(plan, progress, &spectrum);
  progress->previous_energy = quick_energy;
  progress->idle = nothing_is_followed(plan, progress);
  return tell(plan, progress, out);
}

void dsp_progress_sent(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                       const int16_t *samples) {
  struct dsp_progress_spectrum spectrum;
  float quick_energy;
  if (!dsp_progress_transform(plan, samples, &spectrum, &quick_energy)) return;
  for (int s = 0; s < plan->sounds; s++) {
    if (dsp_progress_share(&plan->sound[s], &spectrum) < SENT_SHARE) continue;
    progress->follow[s].sent_until_sample = progress->samples + ECHO_SAMPLES;
  }
}

int dsp_progress_flush(const struct dsp_progress_plan *plan, struct dsp_progress *progress,
                       struct dsp_progress_event *out) {
  if (progress->active < 0) return 0;
  *out = event_of(plan, progress, progress->samples, false);
  const struct dsp_progress_follow *follow = &progress->follow[plan->sound_of[progress->active]];
  if (follow->runs.known && !follow->runs.on) out->at_sample = follow->runs.began_sample;
  progress->active = -1;
  return 1;
}
