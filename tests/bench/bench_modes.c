/* How far the integer modes are from f32 on a text, in contexts of 128 tokens.
 *
 *   bench_modes MODEL TEXT [CONTEXTS] */
#include "base/file.h"
#include "job/job.h"
#include "mode_divergence.h"
#include "model/load.h"

#include <stdio.h>
#include <stdlib.h>

static les_status print_modes(const les_model *model, const char *text, size_t n, int contexts) {
  static const les_compute modes[] = {LES_COMPUTE_INT16, LES_COMPUTE_INT8};
  printf("mode   positions   mean KL    max KL  same top token\n");
  for (int m = 0; m < 2; m++) {
    mode_divergence d;
    LES_TRY(mode_divergence_compute(&d, model, text, n, contexts, modes[m]));
    printf("%-6s %9lld %9.2e %9.2e %15.4f\n", les_compute_name(modes[m]), (long long)d.positions, d.kl_mean,
           d.kl_max, d.same_top);
  }
  return LES_OK;
}

int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "usage: bench_modes MODEL TEXT [CONTEXTS]\n"), 2;
  les_model *model = NULL;
  char *text = NULL;
  size_t n;
  les_status status = les_model_open(&model, argv[1], &(les_model_options){.no_sha256 = true});
  if (status == LES_OK) status = les_file_read(argv[2], &text, &n);
  if (status == LES_OK) status = print_modes(model, text, n, argc > 3 ? atoi(argv[3]) : 1 << 20);
  if (status != LES_OK) fprintf(stderr, "%s\n", les_message());
  free(text);
  les_model_close(&model);
  return status == LES_OK ? 0 : 1;
}
