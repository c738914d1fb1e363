/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Looking into an extension that was loaded with keep_section_info. Of what a pointer asks for that is NULL, nothing is told.
 * Section headers are the file's, but for sh_addr: that is where the section lies, 0 if nowhere.
 */
#ifndef LLEXT_INSPECT_H
#define LLEXT_INSPECT_H

#include <llext/llext.h>
#include <llext/loader.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A region's header, address and size. -EINVAL for a region that is none, and for an extension that is gone. */
int llext_get_region_info(const struct llext_loader *ldr, const struct llext *ext, enum llext_mem region,
			  const elf_shdr_t **hdr, const void **addr, size_t *size);

/* The index of the first section of this name; -ENOENT, -ENOTSUP if nothing was kept. */
int llext_section_shndx(const struct llext_loader *ldr, const struct llext *ext, const char *sect_name);

/*
 * A section's header, its region (LLEXT_MEM_COUNT if in none) and where it begins there. -EINVAL for an index past the last,
 * -ENOTSUP if nothing was kept.
 */
int llext_get_section_info(const struct llext_loader *ldr, const struct llext *ext, unsigned int shndx,
			   const elf_shdr_t **hdr, enum llext_mem *region, size_t *offset);

#ifdef __cplusplus
}
#endif

#endif
