/*
 * bench-dtmf — the axes of dtmf_axes.h for our detector, Debian's spandsp and a textbook Goertzel, on the same
 * samples.
 *
 *   bench-dtmf [--groups N] [--seed N] [--law 0|1|2] [--ours] [--csv FILE] [--axis SUBSTRING] [--required]
 * [--wrong]
 *
 * --required measures only where a limit is required; --wrong shows the groups we got wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtmf_axes.h"
#include "peers.h"

static const struct peer *const PEERS[] = {&peer_ours, &peer_spandsp, &peer_goertzel};
static int peers = 3;
static int groups = 200;
static uint64_t seed = 1;
static enum corpus_law law = CORPUS_LINEAR;

static struct corpus_group group;
static struct peer_heard heard;

static int required_only, show_wrong;

static void measure(const struct axis *axis, double x, double rate[3]) {
  int right[3] = {0};
  for (int g = 0; g < groups; g++) {
    uint64_t group_seed = seed * 1000003 + (uint64_t)g;
    struct corpus_condition condition = corpus_plain();
    condition.law = law;
    axis->set(&condition, x, group_seed);
    corpus_render(&condition, group_seed, &group);
    for (int p = 0; p < peers; p++) {
      PEERS[p]->hear(group.samples, group.count, &heard);
      int good = axis->reject ? heard.count == 0 : strcmp(heard.digits, group.digits) == 0;
      right[p] += good;
      if (show_wrong && p == 0 && !good)
        printf("# %g: group %d sent %s heard %s\n", x, g, group.digits, heard.digits);
    }
  }
  for (int p = 0; p < peers; p++) rate[p] = (double)right[p] / groups;
}

static void run_axis(const struct axis *axis, FILE *csv) {
  double limit[3];
  int done[3] = {0};
  double at_required[3] = {-1, -1, -1};
  for (int p = 0; p < 3; p++) limit[p] = NAN;
  int steps = (int)lrint((axis->to - axis->from) / axis->step);
  for (int i = 0; i <= steps; i++) {
    double x = axis->from + axis->step * i;
    if (required_only && fabs(x - axis->required) > 1e-6) continue;
    double rate[3] = {0};
    measure(axis, x, rate);
    if (csv) fprintf(csv, "\"%s\",%s,%g,%g,%g,%g\n", axis->name, axis->unit, x, rate[0], rate[1], rate[2]);
    for (int p = 0; p < peers; p++) {
      if (fabs(x - axis->required) < 1e-6) at_required[p] = rate[p];
      if (rate[p] < 0.99) done[p] = 1;
      else if (!done[p]) limit[p] = x;
    }
  }
  double sense = axis->step > 0 ? 1 : -1;
  int met = !isnan(limit[0]) && (limit[0] - axis->required) * sense > -1e-6;
  printf("%-38s %-5s", axis->name, axis->unit);
  for (int p = 0; p < peers; p++) {
    if (isnan(limit[p])) printf("  %8s (%3.0f %%)", "never", 100 * at_required[p]);
    else printf("  %8g (%3.0f %%)", limit[p], 100 * at_required[p]);
  }
  printf("  %8g  %s\n", axis->required, met ? "met" : "NOT MET");
  fflush(stdout);
}

struct spread {
  double low, high;
};

static void take(struct spread *spread, double error) {
  spread->low = fmin(spread->low, error);
  spread->high = fmax(spread->high, error);
}

/* Ours as it is. The others date nothing: theirs is what remains when the best constant delay is taken off. */
static double worst(const struct spread *spread, int peer) {
  if (spread->low > spread->high) return NAN;
  return peer == 0 ? fmax(-spread->low, spread->high) : (spread->high - spread->low) / 2;
}

/* Onset and duration errors over the digits of clean and noisy groups that came out right. */
static void run_timing(double snr_db, double on_ms) {
  struct spread onset[3] = {{1e9, -1e9}, {1e9, -1e9}, {1e9, -1e9}};
  struct spread length[3] = {{1e9, -1e9}, {1e9, -1e9}, {1e9, -1e9}};
  for (int g = 0; g < groups; g++) {
    uint64_t group_seed = seed * 7919 + (uint64_t)g;
    struct corpus_condition condition = corpus_plain();
    condition.law = law;
    condition.on_ms = on_ms + g % 7 * 1.5;
    condition.snr_db = snr_db;
    corpus_render(&condition, group_seed, &group);
    for (int p = 0; p < peers; p++) {
      PEERS[p]->hear(group.samples, group.count, &heard);
      if (strcmp(heard.digits, group.digits) != 0) continue;
      for (int i = 0; i < heard.count; i++) {
        take(&onset[p], (heard.onset[i] - group.onset[i]) / 8);
        take(&length[p], (heard.length[i] - group.length[i]) / 8);
      }
    }
  }
  char name[64];
  snprintf(name, sizeof(name), "worst onset / duration error, %.0f ms, %.0f dB", on_ms, fmin(snr_db, 99));
  printf("%-44s", name);
  for (int p = 0; p < peers; p++) printf("     %5.1f / %5.1f", worst(&onset[p], p), worst(&length[p], p));
  printf("     5 / 5  %s\n", worst(&onset[0], 0) <= 5 && worst(&length[0], 0) <= 5 ? "met" : "NOT MET");
}

int main(int argc, char **argv) {
  const char *csv_path = NULL;
  const char *only = "";
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--ours") == 0) peers = 1;
    else if (strcmp(argv[i], "--required") == 0) required_only = 1;
    else if (strcmp(argv[i], "--wrong") == 0) show_wrong = 1;
    else if (i + 1 == argc) return 2;
    else if (strcmp(argv[i], "--groups") == 0) groups = atoi(argv[++i]);
    else if (strcmp(argv[i], "--seed") == 0) seed = (uint64_t)atoll(argv[++i]);
    else if (strcmp(argv[i], "--law") == 0) law = (enum corpus_law)atoi(argv[++i]);
    else if (strcmp(argv[i], "--csv") == 0) csv_path = argv[++i];
    else if (strcmp(argv[i], "--axis") == 0) only = argv[++i];
    else return 2;
  }
  FILE *csv = csv_path ? fopen(csv_path, "w") : NULL;
  if (csv_path && !csv) {
    perror(csv_path);
    return 1;
  }
  if (csv) fprintf(csv, "axis,unit,x,ours,spandsp,goertzel\n");
  printf("limit at >= 99 %% of %d groups (and the hit rate at the required value)\n%-44s", groups, "axis");
  for (int p = 0; p < peers; p++) printf("  %16s", PEERS[p]->name);
  printf("  required\n");
  for (int i = 0; i < AXES; i++)
    if (strstr(axes[i].name, only)) run_axis(&axes[i], csv);
  if (!*only) {
    run_timing(1000, 40);
    run_timing(15, 60);
  }
  if (csv) fclose(csv);
  return 0;
}
