/* The cores that this process may use. */
#ifndef LES_BASE_CORES_H
#define LES_BASE_CORES_H

/* Those that the process is bound to, at least 1. */
int les_cores_available(void);

/* Those of the machine, at least 1. */
int les_cores_online(void);

#endif
