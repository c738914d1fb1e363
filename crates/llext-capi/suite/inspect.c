/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Looking into an extension: sections, regions, and what a file says. */
#include "suite.h"

static const struct llext_load_param KEEP = { true, false, NULL, true, LLEXT_COMPRESSION_TYPE_NONE };

static const struct {
	const char *section, *symbol;
	enum llext_mem region;
} PLACES[] = {
	{ ".bss", "in_bss", LLEXT_MEM_BSS },
	{ ".rodata", "in_rodata", LLEXT_MEM_RODATA },
	{ ".my_rodata", "in_my_rodata", LLEXT_MEM_RODATA },
	{ ".data", "in_data", LLEXT_MEM_DATA },
	{ ".text", "probe", LLEXT_MEM_TEXT },
};

/* The symbol lies in its section, and that in its region. */
static void sections_lie_in_regions(void)
{
	struct file file = slurp("sections.o");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	struct llext *ext;

	EQUAL(llext_load(&loader.loader, "inspect", &ext, &KEEP), 0);
	EQUAL(loader.loader.hdr.e_type, ET_REL);
	EQUAL(llext_section_count(ext), loader.loader.hdr.e_shnum);
	for (size_t at = 0; at < sizeof(PLACES) / sizeof(PLACES[0]); at++) {
		int index = llext_section_shndx(&loader.loader, ext, PLACES[at].section);
		uintptr_t symbol = (uintptr_t)llext_find_sym(&ext->exp_tab, PLACES[at].symbol);
		const elf_shdr_t *header, *merged;
		enum llext_mem region;
		const void *address;
		size_t offset, size;
		elf_shdr_t copy;

		CHECK(index > 0);
		EQUAL(llext_get_section_info(&loader.loader, ext, (unsigned int)index, &header, &region, &offset), 0);
		EQUAL(region, PLACES[at].region);
		EQUAL(llext_get_region_info(&loader.loader, ext, region, &merged, &address, &size), 0);
		CHECK(offset + header->sh_size <= size && address == ext->mem[region]);
		CHECK((uintptr_t)address + offset == header->sh_addr && merged->sh_size == size);
		CHECK(symbol - header->sh_addr < header->sh_size);
		CHECK(header == llext_section_headers(ext) + index);
		EQUAL(llext_get_section_header(&loader.loader, ext, PLACES[at].section, &copy), 0);
		CHECK(memcmp(header, &copy, sizeof(copy)) == 0);
	}
	EQUAL(llext_section_shndx(&loader.loader, ext, ".nothing"), -ENOENT);
	EQUAL(llext_get_section_info(&loader.loader, ext, ext->sect_cnt, NULL, NULL, NULL), -EINVAL);
	EQUAL(llext_get_region_info(&loader.loader, ext, LLEXT_MEM_COUNT, NULL, NULL, NULL), -EINVAL);
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

static void inspection_is_given_back(void)
{
	struct file file = slurp("sections.o");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	struct llext *ext;
	size_t before;

	EQUAL(llext_load(&loader.loader, "inspect", &ext, &KEEP), 0);
	before = ext->alloc_size;
	EQUAL(llext_free_inspection_data(&loader.loader, ext), 0);
	CHECK(ext->alloc_size < before && ext->sect_hdrs == NULL && ext->sect_cnt == 0);
	EQUAL(llext_section_shndx(&loader.loader, ext, ".text"), -ENOTSUP);
	EQUAL(llext_free_inspection_data(&loader.loader, ext), 0);
	EQUAL(probe(ext), 6);
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

static void shared_objects_are_inspected(void)
{
	struct file file = slurp("sections.so");
	struct llext_buf_loader loader = LLEXT_TEMPORARY_BUF_LOADER(file.bytes, file.size);
	struct llext *ext;
	const elf_shdr_t *header;
	int index;

	EQUAL(llext_load(&loader.loader, "inspect", &ext, &KEEP), 0);
	index = llext_section_shndx(&loader.loader, ext, ".data");
	CHECK(index > 0);
	EQUAL(llext_get_section_info(&loader.loader, ext, (unsigned int)index, &header, NULL, NULL), 0);
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "in_data") - header->sh_addr < header->sh_size);
	EQUAL(llext_unload(&ext), 0);
	drop(&file);
}

static void sections_are_found_in_files(void)
{
	struct file file = slurp("sections.o");
	struct llext_buf_loader loader = LLEXT_WRITABLE_BUF_LOADER(file.bytes, file.size);
	struct llext_fs_loader slow = LLEXT_FS_LOADER("x");
	struct llext *ext;
	elf_shdr_t header;
	ssize_t offset;

	EQUAL(llext_load(&loader.loader, "found", &ext, NULL), 0);
	offset = llext_find_section(&loader.loader, ".data");
	CHECK(offset > 0);
	EQUAL(llext_get_section_header(&loader.loader, ext, ".data", &header), 0);
	EQUAL(header.sh_offset, offset);
	/* What may be written is used where it lies. */
	CHECK((uintptr_t)llext_find_sym(&ext->exp_tab, "in_data") - (uintptr_t)(file.bytes + offset) < header.sh_size);
	EQUAL(probe(ext), 6);
	EQUAL(llext_find_section(&loader.loader, ".nothing"), -ENOENT);
	EQUAL(llext_find_section(&slow.loader, ".data"), -ENOTSUP);
	EQUAL(llext_unload(&ext), 0);
	file.bytes[0] = 0;
	EQUAL(llext_find_section(&loader.loader, ".data"), -ENOEXEC);
	drop(&file);
}

TESTS(INSPECT_TESTS, TEST(sections_lie_in_regions), TEST(inspection_is_given_back), TEST(shared_objects_are_inspected),
      TEST(sections_are_found_in_files));
