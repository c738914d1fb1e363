// Tells the host when it comes and goes; number 1 needs number 0, number 2 refuses to come up.
#define NAME(number) JOINED(probe, number)
#define JOINED(name, number) name##number
extern void came(int), went(int);
__attribute__((constructor)) static void comes(void) { came(KIND); }
__attribute__((destructor)) static void goes(void) { went(KIND); }
int NAME(KIND)(void) { return KIND; }
#if KIND == 1
extern int probe0(void);
int probe(void) { return probe0() + 1; }
#else
int probe(void) { return KIND; }
#endif
#if KIND == 2
int llext_init(void) { return 5; }
#endif
