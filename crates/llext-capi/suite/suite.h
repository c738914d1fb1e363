/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the suite's files share. `cargo xtask capi test` builds and runs it. */
#ifndef SUITE_H
#define SUITE_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zephyr/llext/buf_loader.h>
#include <zephyr/llext/fs_loader.h>
#include <zephyr/llext/inspect.h>
#include <zephyr/llext/llext.h>
#include <zephyr/llext/loader.h>
#include <zephyr/llext/semihost_loader.h>
#include <llext/hooks.h>

/* A test, which fails at the first check that does not hold; or why it cannot be run here. */
struct test {
	const char *name;
	void (*run)(void);
	const char *left_out;
};
#define TESTS(table, ...) const struct test table[] = { __VA_ARGS__, { NULL, NULL, NULL } }
#define TEST(name) { #name, name, NULL }
#define LEFT_OUT(name, why) { #name, NULL, why }

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fail(__FILE__, __LINE__, #condition); \
			return; \
		} \
	} while (0)
#define EQUAL(found, expected) \
	do { \
		long long found_ = (long long)(found), expected_ = (long long)(expected); \
		if (found_ != expected_) { \
			fail_equal(__FILE__, __LINE__, #found, found_, expected_); \
			return; \
		} \
	} while (0)
void fail(const char *file, int line, const char *what);
void fail_equal(const char *file, int line, const char *what, long long found, long long expected);

/* A file in memory, from the folder of built extensions, at an address that suits every section. */
struct file {
	uint8_t *bytes;
	size_t size;
};
struct file slurp(const char *name);
void drop(struct file *file);
const char *path_of(const char *name);

/* Memory that code can run in, NULL if there is no more, and its return. */
void *take_memory(size_t bytes);
void give_back(void *memory, size_t bytes);

/* Loads from a temporary buffer. */
int load(const char *file, const char *name, struct llext **ext);

/* Memory that code can run in, where the library takes some. */
int give_heap(size_t bytes);
int take_heap(void);

/* Calls an export that takes `count` ints. */
int call(struct llext *ext, const char *name, int count, const int *arguments);
int probe(struct llext *ext);

/* What extensions told the host, and what the library told the log. */
extern int traced[8], traces;
extern char printed[80], logged[200];
extern int logged_number, logs;
void hear(int error, const char *line);
/* What host_apply does besides. */
extern void (*while_applied)(void);

int host_add(int a, int b);

extern const struct test API_TESTS[], INSPECT_TESTS[], STORAGE_TESTS[], GUARANTEE_TESTS[], FAILURE_TESTS[],
	THREAD_TESTS[], SAVING_TESTS[], CHOICE_TESTS[], REENTRY_TESTS[], SLID_TESTS[], COMPRESSION_TESTS[];
void run_listed(const char *list);
void run(const char *name, void (*test)(void));
void leave_out(const char *name, const char *why);

#endif
