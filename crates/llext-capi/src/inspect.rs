//! Looking into a file and into an extension: `llext/inspect.h`.

use crate::errno::{EINVAL, ENOENT, ENOEXEC, ENOTSUP};
use crate::regions::{in_c, place};
use crate::source::LoaderSource;
use crate::table;
use crate::types::{ElfSection, Llext, Loader, REGIONS, text};
use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr::NonNull;
use llext::loader::{InspectedSection, Inspection};
use llext::native::Native;
use llext_link::elf::section_header::{SectionHeader, decode, size};

/// Looks the section `wanted` up in the file of a loader.
///
/// # Safety
/// The loader is null or one whose file can still be read.
unsafe fn in_file(ldr: *mut Loader, wanted: *const c_char) -> Result<SectionHeader, c_int> {
    // SAFETY: the caller vouches for the name and for the loader.
    let (wanted, loader) = unsafe { (text(wanted).ok_or(-EINVAL)?, NonNull::new(ldr).ok_or(-EINVAL)?) };
    // SAFETY: as above.
    let mut source = unsafe { LoaderSource::loaded(loader) };
    source.shown_bytes()?;
    let survey = source.survey(|_| ()).map_err(|_| -ENOEXEC)?;
    let bytes = source.shown_bytes()?;
    let header = |index: u32| {
        let at = survey.headers + u64::from(index) * u64::from(size::<Native>());
        bytes.get(usize::try_from(at).ok()?..).map(decode::<Native>)
    };
    let names = header(survey.names).ok_or(-ENOEXEC)?;
    let end = names.offset.saturating_add(names.size);
    let names = bytes.get(names.offset as usize..end as usize).ok_or(-ENOEXEC)?;
    for found in (0..survey.count).filter_map(header) {
        let name = names.get(found.name as usize..).ok_or(-ENOEXEC)?;
        if name.split(|byte| *byte == 0).next() == Some(wanted) {
            return Ok(found);
        }
    }
    Err(-ENOENT)
}

/// Where the section `search_name` begins in the file, bytes: `-ENOTSUP` if the loader has no peek, `-ENOEXEC`, `-ENOENT`.
///
/// # Safety
/// The loader is null or one whose file can still be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_find_section(ldr: *mut Loader, search_name: *const c_char) -> isize {
    // SAFETY: the caller vouches for it.
    match unsafe { in_file(ldr, search_name) } {
        Ok(header) => header.offset as isize,
        Err(number) => number as isize,
    }
}

/// What was kept of the extension's section for which `wanted` says yes.
fn kept<T>(
    ext: *const Llext,
    wanted: impl Fn(&InspectedSection<'_>) -> bool,
    found: impl FnOnce(InspectedSection<'_>, *const ElfSection) -> T,
) -> Result<T, c_int> {
    let look = |bytes: &[u8]| {
        let inspection = Inspection::new(bytes)?;
        let section = inspection.sections().find(|section| wanted(section))?;
        let header = inspection.headers().as_ptr().cast::<ElfSection>().wrapping_add(section.index as usize);
        Some(found(section, header))
    };
    let looked = table::with_inspection(ext, look).map_err(|_| -EINVAL)?;
    looked.ok_or(-ENOTSUP)?.ok_or(-ENOENT)
}

/// Copies the header of the section `search_name` to `*shdr`: what was kept of the extension's, whose address is where it lies,
/// else the file's. 0, `-ENOENT`, or as [`llext_find_section`].
///
/// # Safety
/// The pointers are null, or to what their types say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_get_section_header(
    ldr: *mut Loader,
    ext: *mut Llext,
    search_name: *const c_char,
    shdr: *mut ElfSection,
) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let (Some(name), Some(shdr)) = (text(search_name), shdr.as_mut()) else { return -EINVAL };
        let of_extension = match ext.is_null() {
            true => Err(-ENOTSUP),
            false => kept(ext, |section| section.name == name, |section, _| section.header),
        };
        match of_extension
            .or_else(|number| if number == -ENOTSUP { in_file(ldr, search_name) } else { Err(number) })
        {
            Ok(header) => {
                *shdr = in_c(&header);
                0
            }
            Err(number) => number,
        }
    }
}

/// The index of the section `sect_name`; `-ENOENT`, `-ENOTSUP` if nothing was kept.
///
/// # Safety
/// As for [`llext_get_section_header`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_section_shndx(
    _ldr: *const Loader,
    ext: *const Llext,
    sect_name: *const c_char,
) -> c_int {
    // SAFETY: the caller vouches for the name.
    let Some(name) = (unsafe { text(sect_name) }) else { return -EINVAL };
    let found = kept(ext, |section| section.name == name, |section, _| section.index as c_int);
    found.unwrap_or_else(|number| number)
}

/// Of the section `shndx`: its header, its region, and where it begins there; each where its pointer is not null. 0; `-EINVAL`,
/// `-ENOTSUP` if nothing was kept.
///
/// # Safety
/// As for [`llext_get_section_header`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_get_section_info(
    ldr: *const Loader,
    ext: *const Llext,
    shndx: c_uint,
    hdr: *mut *const ElfSection,
    region: *mut c_uint,
    offset: *mut usize,
) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    let Some(loader) = (unsafe { ldr.as_ref() }) else { return -EINVAL };
    let found =
        kept(ext, |section| section.index == shndx, |section, header| (place(loader, &section), header));
    let (place, header) = match found {
        Ok(found) => found,
        Err(number) => return if number == -ENOENT { -EINVAL } else { number },
    };
    let (its_region, its_offset) =
        place.map_or((REGIONS as c_uint, 0), |(region, at)| (region as c_uint, at));
    // SAFETY: as above.
    unsafe {
        put(hdr, header);
        put(region, its_region);
        put(offset, its_offset);
    }
    0
}

/// Of a region: its header, as it is after a load that kept section information, its address and its size; each where its
/// pointer is not null. 0; `-EINVAL`.
///
/// # Safety
/// As for [`llext_get_section_header`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_get_region_info(
    ldr: *const Loader,
    ext: *const Llext,
    region: c_uint,
    hdr: *mut *const ElfSection,
    addr: *mut *const c_void,
    size: *mut usize,
) -> c_int {
    let at = region as usize;
    if at >= REGIONS || ldr.is_null() || table::enter(ext).is_err() {
        return -EINVAL;
    }
    // SAFETY: the caller vouches for the pointers; the extension is live, so `ext` is its structure.
    unsafe {
        put(hdr, &raw const (*ldr).sects[at]);
        put(addr, (*ext).mem[at].cast_const());
        put(size, (*ext).mem_size[at]);
    }
    0
}

/// # Safety
/// The pointer is null or writable.
unsafe fn put<T>(pointer: *mut T, value: T) {
    // SAFETY: the caller vouches for it.
    if let Some(place) = unsafe { pointer.as_mut() } {
        *place = value;
    }
}

/// Gives back what a load kept for looking into the extension; the last unload does, too. 0; `-EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn llext_free_inspection_data(_ldr: *mut Loader, ext: *mut Llext) -> c_int {
    table::free_inspection(ext).map_or(-EINVAL, |()| 0)
}
