/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The sources of extensions/, each in each kind of file: loaded, brought up, called as its first lines say, and gone. */
#include "suite.h"

static char lines[16][400];
static int count;

static void load_unload(void)
{
	char file[80];
	struct llext *ext = NULL;

	sscanf(lines[0], "load %79s", file);
	EQUAL(load(file, "listed", &ext), 0);
	EQUAL(llext_bringup(ext), 0);
	for (int at = 1; at < count; at++) {
		int arguments[4], given = 0, expected, read;
		char function[400];
		const char *rest = lines[at];

		CHECK(sscanf(rest, "call %399s %d%n", function, &expected, &read) == 2);
		while (given < 4 && sscanf(rest += read, "%d%n", &arguments[given], &read) == 1) {
			given++;
		}
		int found = call(ext, function, given, arguments);

		if (found != expected) {
			fail_equal(file, at, function, found, expected);
		}
	}
	EQUAL(llext_teardown(ext), 0);
	EQUAL(llext_unload(&ext), 0);
	CHECK(ext == NULL);
}

static void run_one(void)
{
	char name[96];

	if (count > 0) {
		snprintf(name, sizeof(name), "load_unload_%.80s", lines[0] + 5);
		run(name, load_unload);
	}
	count = 0;
}

void run_listed(const char *path)
{
	FILE *list = fopen(path, "r");
	char line[400], name[80];
	int read;

	if (!list) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), list)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "load ", 5) == 0) {
			run_one();
		}
		if (sscanf(line, "without %79s %n", name, &read) == 1) {
			leave_out(name, line + read);
			continue;
		}
		if (count < 16) {
			strcpy(lines[count++], line);
		}
	}
	run_one();
	fclose(list);
}
