/*
 * bench-dtmf — the axes of dtmf_axes.h for our detector, Debian's spandsp and a textbook Goertzel, on the same
 * samples.
 *
 *   bench-dtmf [--groups N] [--seed N] [--law 0|1|2] [--ours] [--json FILE] [--axis SUBSTRING] [--required]
 * [--wrong]
 *
 * --required measures only where a limit is required; --wrong shows the groups we got wrong. The file gets an
 * object a line, with the curve of each axis; rates and limits are in the order of PEERS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dtmf_axes.h"
#include "peers.h"

#define WORST_ERROR_MS 5
#define CLEAN_DB       500

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

/* JSON has no NAN. */
static void print_numbers(FILE *json, const char *name, const double numbers[3]) {
  fprintf(json, "\"%s\":[", name);
  for (int p = 0; p < peers; p++) {
    fputs(p ? "," : "", json);
    if (isnan(numbers[p])) fputs("null", json);
    else fprintf(json, "%.6g", numbers[p]);
  }
  fputc(']', json);
}

static void run_axis(const struct axis *axis, FILE *json) {
  double limit[3] = {NAN, NAN, NAN};
  double at_required[3] = {NAN, NAN, NAN};
  int done[3] = {0};
  int steps = (int)lrint((axis->to - axis->from) / axis->step);
  int points = 0;
  if (json) fprintf(json, "{\"axis\":\"%s\",\"unit\":\"%s\",\"curve\":[", axis->name, axis->unit);
  for (int i = 0; i <= steps; i++) {
    double x = axis->from + axis->step * i;
    if (required_only && fabs(x - axis->required) > 1e-6) continue;
    double rate[3] = {0};
    measure(axis, x, rate);
    if (json) {
      fprintf(json, "%s{\"x\":%g,", points++ ? "," : "", x);
      print_numbers(json, "rate", rate);
      fputc('}', json);
    }
    for (int p = 0; p < peers; p++) {
      if (fabs(x - axis->required) < 1e-6) at_required[p] = rate[p];
      if (rate[p] < 0.99) done[p] = 1;
      else if (!done[p]) limit[p] = x;
    }
  }
  double outwards = axis->step > 0 ? 1 : -1;
  int met = !isnan(limit[0]) && (limit[0] - axis->required) * outwards > -1e-6;
  printf("%-38s %-5s", axis->name, axis->unit);
  for (int p = 0; p < peers; p++) {
    if (isnan(limit[p])) printf("  %8s (%3.0f %%)", "never", 100 * at_required[p]);
    else printf("  %8g (%3.0f %%)", limit[p], 100 * at_required[p]);
  }
  printf("  %8g  %s\n", axis->required, met ? "met" : "NOT MET");
  fflush(stdout);
  if (!json) return;
  fprintf(json, "],\"required\":%g,\"outwards\":%g,\"reject\":%s,\"met\":%s,", axis->required, outwards,
          axis->reject ? "true" : "false", met ? "true" : "false");
  print_numbers(json, "limit", limit);
  fputc(',', json);
  print_numbers(json, "atRequired", at_required);
  fputs("}\n", json);
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
static void run_timing(double snr_db, double on_ms, FILE *json) {
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
  double worst_onset[3], worst_length[3];
  char name[64];
  if (snr_db < CLEAN_DB) snprintf(name, sizeof(name), "%.0f ms, SNR %.0f dB", on_ms, snr_db);
  else snprintf(name, sizeof(name), "%.0f ms, clean", on_ms);
  printf("worst onset / duration error, %-14s", name);
  for (int p = 0; p < peers; p++) {
    worst_onset[p] = worst(&onset[p], p);
    worst_length[p] = worst(&length[p], p);
    printf("     %5.1f / %5.1f", worst_onset[p], worst_length[p]);
  }
  int met = worst_onset[0] <= WORST_ERROR_MS && worst_length[0] <= WORST_ERROR_MS;
  printf("     %d / %d  %s\n", WORST_ERROR_MS, WORST_ERROR_MS, met ? "met" : "NOT MET");
  if (!json) return;
  fprintf(json, "{\"timing\":\"%s\",\"required\":%d,\"met\":%s,", name, WORST_ERROR_MS, met ? "true" : "false");
  print_numbers(json, "onsetMs", worst_onset);
  fputc(',', json);
  print_numbers(json, "durationMs", worst_length);
  fputs("}\n", json);
}

int main(int argc, char **argv) {
  const char *json_path = NULL;
  const char *only = "";
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--ours") == 0) peers = 1;
    else if (strcmp(argv[i], "--required") == 0) required_only = 1;
    else if (strcmp(argv[i], "--wrong") == 0) show_wrong = 1;
    else if (i + 1 == argc) return 2;
    else if (strcmp(argv[i], "--groups") == 0) groups = atoi(argv[++i]);
    else if (strcmp(argv[i], "--seed") == 0) seed = (uint64_t)atoll(argv[++i]);
    else if (strcmp(argv[i], "--law") == 0) law = (enum corpus_law)atoi(argv[++i]);
    else if (strcmp(argv[i], "--json") == 0) json_path = argv[++i];
    else if (strcmp(argv[i], "--axis") == 0) only = argv[++i];
    else return 2;
  }
  FILE *json = json_path ? fopen(json_path, "w") : NULL;
  if (json_path && !json) {
    perror(json_path);
    return 1;
  }
  printf("limit at >= 99 %% of %d groups (and the hit rate at the required value)\n%-44s", groups, "axis");
  for (int p = 0; p < peers; p++) printf("  %16s", PEERS[p]->name);
  printf("  required\n");
  for (int i = 0; i < AXES; i++)
    if (strstr(axes[i].name, only)) run_axis(&axes[i], json);
  if (!*only) {
    run_timing(1000, 40, json);
    run_timing(15, 60, json);
  }
  if (json) fclose(json);
  return 0;
}
