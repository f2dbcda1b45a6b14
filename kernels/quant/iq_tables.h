/* Grids of the IQ types: see iq_tables.c. */
#ifndef LES_QUANT_IQ_TABLES_H
#define LES_QUANT_IQ_TABLES_H

#include <stdint.h>

extern const uint16_t les_iq1_grid[2048];    /* eight values, levels -1, 0, 1 */
extern const uint16_t les_iq2_xxs_grid[256]; /* eight magnitudes, levels 8, 25, 43 */
extern const uint16_t les_iq2_xs_grid[512];
extern const uint16_t les_iq2_s_grid[1024];
extern const uint16_t les_iq3_xxs_grid[256]; /* four magnitudes, levels 4, 12, 20, 28, 36, 44, 52, 62 */
extern const uint16_t les_iq3_s_grid[512];   /* four magnitudes, levels 1, 3, ..., 15 */

#endif
