/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Several threads at once, with a recursive mutex as the lock. */
#include "suite.h"

#ifdef __linux__
#include <pthread.h>
#include <sched.h>

#define THREADS 4
#define ROUNDS 300

static pthread_mutex_t mutex;
static int waited, done[THREADS], wrong[THREADS];
static struct file files[2];

static unsigned int lock(void)
{
	pthread_mutex_lock(&mutex);
	return 7;
}

static void unlock(unsigned int key)
{
	waited += key != 7;
	pthread_mutex_unlock(&mutex);
}

static int look(struct llext *ext, void *arg)
{
	(void)arg;
	return ext->name[0] == 0;
}

/* -EBUSY says that another thread is just loading or unloading the extension of this name: it is done soon. */
static int load_when_free(struct llext_loader *loader, const char *name, struct llext **ext)
{
	int loaded;

	while ((loaded = llext_load(loader, name, ext, NULL)) == -EBUSY) {
		sched_yield();
	}
	return loaded;
}

/* Loads its own extension or one that all share, calls it, and unloads. */
static void *work(void *number)
{
	int own = (int)(intptr_t)number;
	char name[] = "own0";

	name[3] = (char)('0' + own);
	for (int round = 0; round < ROUNDS; round++) {
		struct llext_buf_loader loader =
			LLEXT_TEMPORARY_BUF_LOADER(files[round % 2].bytes, files[round % 2].size);
		struct llext *ext;
		if (load_when_free(&loader.loader, round % 3 ? "shared" : name, &ext) < 0) {
			wrong[own]++;
			continue;
		}
		wrong[own] += llext_call_fn(ext, "probe") != 0;
		wrong[own] += llext_iterate(look, NULL) < 0;
		wrong[own] += llext_unload(&ext) < 0;
		done[own]++;
	}
	return NULL;
}

static void threads_at_once(void)
{
	pthread_mutexattr_t recursive;
	pthread_t threads[THREADS];

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&mutex, &recursive);
	llext_set_lock_hooks(lock, unlock);
	files[0] = slurp("sections.o");
	files[1] = slurp("multi-file.r");
	for (intptr_t at = 0; at < THREADS; at++) {
		pthread_create(&threads[at], NULL, work, (void *)at);
	}
	for (int at = 0; at < THREADS; at++) {
		pthread_join(threads[at], NULL);
	}
	for (int at = 0; at < THREADS; at++) {
		EQUAL(wrong[at], 0);
		EQUAL(done[at], ROUNDS);
	}
	EQUAL(waited, 0);
	llext_set_lock_hooks(NULL, NULL);
	drop(&files[0]);
	drop(&files[1]);
}

TESTS(THREAD_TESTS, TEST(threads_at_once));
#else
TESTS(THREAD_TESTS, LEFT_OUT(threads_at_once, "there are no threads"));
#endif
