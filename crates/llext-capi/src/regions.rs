//! An extension as C sees it: regions, exports, section headers.

use crate::heap::{Handle, Lease};
use crate::types::{ElfSection, Llext, Loader, REGIONS, Region, Symbol, SymbolTable};
use core::ops::Range;
use llext::Error;
use llext::loader::{InspectedSection, Inspection};
use llext::memory::Part;
use llext_link::elf::section_header::SectionHeader;

pub(crate) const SYMTAB: u32 = 2;
pub(crate) const STRTAB: u32 = 3;
pub(crate) const NOBITS: u32 = 8;
pub(crate) const DYNSYM: u32 = 11;
const INIT_ARRAY: u32 = 14;
const FINI_ARRAY: u32 = 15;
const PREINIT_ARRAY: u32 = 16;
const WRITE: u64 = 1;
const ALLOC: u64 = 2;
const EXECINSTR: u64 = 4;

/// LLEXT's region for a section.
pub(crate) fn region_of(name: &[u8], header: &SectionHeader) -> Option<Region> {
    Some(match (name, header.kind) {
        (b".exported_sym", _) => Region::Export,
        (b".llext.rodata.noreloc", _) => Region::RodataNoReloc,
        (b".shstrtab", STRTAB) => Region::Shstrtab,
        (_, STRTAB) => Region::Strtab,
        (_, SYMTAB | DYNSYM) => Region::Symtab,
        _ if header.flags & ALLOC == 0 || header.size == 0 => return None,
        (_, NOBITS) => Region::Bss,
        (_, PREINIT_ARRAY) => Region::Preinit,
        (_, INIT_ARRAY) => Region::Init,
        (_, FINI_ARRAY) => Region::Fini,
        _ if header.flags & EXECINSTR != 0 => Region::Text,
        _ if header.flags & WRITE != 0 => Region::Data,
        _ => Region::Rodata,
    })
}

/// A section header in C's form.
pub(crate) fn in_c(header: &SectionHeader) -> ElfSection {
    ElfSection {
        sh_name: header.name,
        sh_type: header.kind,
        sh_flags: header.flags as usize,
        sh_addr: header.address as usize,
        sh_offset: header.offset as usize,
        sh_size: header.size as usize,
        sh_link: header.link,
        sh_info: header.info,
        sh_addralign: header.align as usize,
        sh_entsize: header.entry_size as usize,
    }
}

/// What C sees of an extension by its parts; `file` is where its file lies in memory.
pub(crate) fn seen(handle: &Handle, file: &Range<usize>) -> Llext {
    let mut seen = Llext::EMPTY;
    let in_order = |image: bool| handle.regions().filter(move |region| (region.part == Part::Image) == image);
    for region in in_order(false).chain(in_order(true)) {
        let places = match region.part {
            Part::Code => [Region::Text; 2],
            Part::Constants => [Region::Rodata; 2],
            Part::Data => [Region::Data; 2],
            // A shared object in one piece, or what is in place: text where there is no other, else constants.
            Part::Image => [Region::Text, Region::Rodata],
        };
        let on_heap = !file.contains(&region.address);
        if on_heap {
            seen.alloc_size += region.size;
        }
        if let Some(place) = places.into_iter().find(|place| seen.mem[*place as usize].is_null()) {
            seen.mem[place as usize] = core::ptr::without_provenance_mut(region.address);
            seen.mem_size[place as usize] = region.size;
            seen.mem_on_heap[place as usize] = on_heap;
        }
    }
    seen
}

/// The same by its sections, which are merged into regions as LLEXT does; `sects` gets the regions' headers.
pub(crate) fn inspected(seen: &mut Llext, inspection: &Inspection<'_>, sects: &mut [ElfSection; REGIONS]) {
    (*sects, seen.mem, seen.mem_size) =
        ([ElfSection::default(); REGIONS], [core::ptr::null_mut(); REGIONS], [0; REGIONS]);
    seen.sect_cnt = inspection.sections().count() as u32;
    seen.sect_hdrs = inspection.headers().as_ptr().cast_mut().cast();
    seen.sect_hdrs_on_heap = true;
    for section in inspection.sections() {
        if let Some(region) = region_of(section.name, &section.header) {
            merge(&mut sects[region as usize], &section);
        }
    }
    for (at, header) in sects.iter().enumerate().filter(|(_, header)| header.sh_addr != 0) {
        seen.mem[at] = core::ptr::without_provenance_mut(header.sh_addr);
        seen.mem_size[at] = header.sh_size;
    }
}

/// One more section in a region: in memory from the first to the last.
fn merge(region: &mut ElfSection, section: &InspectedSection<'_>) {
    let header = in_c(&section.header);
    if region.sh_type == 0 {
        *region = ElfSection { sh_name: 0, ..header };
    } else if header.sh_addr != 0 || region.sh_addr == 0 {
        let end = (region.sh_addr + region.sh_size).max(header.sh_addr + header.sh_size);
        region.sh_addr = region.sh_addr.min(header.sh_addr);
        region.sh_size = end - region.sh_addr;
        region.sh_offset = region.sh_offset.min(header.sh_offset);
        region.sh_addralign = region.sh_addralign.max(header.sh_addralign);
    }
}

/// The region and offset there of a section that is kept in memory.
pub(crate) fn place(loader: &Loader, section: &InspectedSection<'_>) -> Option<(Region, usize)> {
    let region = region_of(section.name, &section.header)?;
    let start = loader.sects[region as usize].sh_addr;
    let address = section.header.address as usize;
    Some((region, if address == 0 { 0 } else { address.wrapping_sub(start) }))
}

/// The table of exports, in memory of the heap, sorted by name as LLEXT's is.
pub(crate) fn exports(handle: &Handle) -> Result<(Option<Lease>, SymbolTable), Error> {
    let sym_cnt = handle.exports().count();
    if sym_cnt == 0 {
        return Ok((None, SymbolTable { sym_cnt, syms: core::ptr::null_mut() }));
    }
    let mut lease = Lease::new(sym_cnt * size_of::<Symbol>())?;
    let syms: *mut Symbol = lease.bytes_mut().as_mut_ptr().cast();
    for (at, (name, address)) in handle.exports().take(sym_cnt).enumerate() {
        let addr = core::ptr::without_provenance_mut(address);
        // SAFETY: the lease has room for so many, aligned to 16 bytes; the name ends in a NUL in the extension's tables.
        unsafe { syms.add(at).write(Symbol { name: name.as_ptr().cast(), addr }) };
    }
    // SAFETY: they were all written, and their names are strings of the extension's.
    unsafe {
        core::slice::from_raw_parts_mut(syms, sym_cnt)
            .sort_unstable_by_key(|symbol| crate::types::text(symbol.name).unwrap_or_default());
    }
    Ok((Some(lease), SymbolTable { sym_cnt, syms }))
}
