/* What fuzz targets share. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* The target: returns 0 whatever the bytes. libFuzzer's name. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Inputs that the code under test has taken so far; the targets count. driver.c wants all seeds taken as they
 * lie there, so that changes of them reach more than the first check. */
extern int fuzz_taken;

/* The bytes as a file in memory. Returns its descriptor, which the caller closes, and its path; ends the
 * process if there is none. */
int fuzz_file(const uint8_t *data, size_t n, char path[64]);

#endif
