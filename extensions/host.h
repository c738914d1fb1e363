/* What the harness offers every extension (crates/cargo-llext/tests/extensions/host.rs). */
#ifndef HOST_H
#define HOST_H

#ifdef __cplusplus
extern "C" {
#endif

/* Writes a value into the record that `trace:` compares. */
void host_trace(int value);

/* Writes a line into the record that `output:` compares. */
void host_print(const char *text);

int host_add(int a, int b);

/* Calls back into the extension: function(value). */
int host_apply(int (*function)(int), int value);

/* How the page that holds `address` is mapped: 4 readable, 2 writable, 1 executable, added up. */
int host_protection(const void *address);

/* 1 when `address` lies more than 2 GiB from the host's own code, else 0. */
int host_is_far(const void *address);

/* a + b, in code that lies more than 2 GiB from the host's own. */
int host_far_add(int a, int b);

/* 77, beside the host's code; and 78, more than 2 GiB away. */
extern int host_number;
extern int host_far_number;

#ifdef __cplusplus
}
#endif

#endif
