//! Loading: C's choices, in the loader's words.

use crate::errno::{EINVAL, ENODATA, ENOTSUP};
use crate::heap::{Handle, Lease, registry};
use crate::hooks::{failed, imports_all_globals, log, thread_locals};
use crate::regions::{exports, in_c, inspected, seen};
use crate::source::LoaderSource;
use crate::symbols::Builtins;
use crate::table::{self, Loaded};
use crate::types::{Llext, LoadParam, Loader, NOT_COMPRESSED, text};
use core::ffi::{c_char, c_int};
use core::ptr::{NonNull, null_mut};
use llext::Error;
use llext::loader::{Inspection, Places};
use llext::native::Native;
use llext::registry::MAX_NAME;
use llext_link::elf::section_header::{decode, size};

/// What an inspection takes besides tables: its head.
const HEAD: u64 = 64;

/// Loads an extension under a name, or finds that one of this name is live, which is then another use of it. Constructors
/// wait for `llext_bringup`.
///
/// How often it was used before, 0 for a new one; else a negative number, and `*ext` is null: `docs/from-llext.md` lists them.
///
/// # Safety
/// The pointers are null, or to what their types say; the loader is nobody else's meanwhile, and its operations do what
/// `llext/loader.h` says. The caller vouches for the extension's code, which runs with all rights of the program, and for the
/// signatures it expects.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn llext_load(
    ldr: *mut Loader,
    name: *const c_char,
    ext: *mut *mut Llext,
    ldr_parm: *const LoadParam,
) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    let (name, param) = unsafe { (text(name), ldr_parm.as_ref().copied().unwrap_or(LoadParam::DEFAULT)) };
    let (Some(loader), Some(name), false) = (NonNull::new(ldr), name, ext.is_null()) else { return -EINVAL };
    // SAFETY: as above.
    let (pointer, said) = match unsafe { load(loader, name, &param) } {
        Ok((pointer, before)) => (pointer, before as c_int),
        Err(Refusal::Error(error)) => (null_mut(), failed(name, &error)),
        Err(Refusal::Because(number, why)) => {
            log(number, name, why);
            (null_mut(), number)
        }
    };
    // SAFETY: as above.
    unsafe { *ext = pointer };
    said
}

/// Why nothing was loaded.
pub(crate) enum Refusal {
    Error(Error),
    /// What C is told, and what the log hears.
    Because(c_int, &'static str),
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// # Safety
/// As for [`llext_load`].
unsafe fn load(
    loader: NonNull<Loader>,
    name: &[u8],
    param: &LoadParam,
) -> Result<(*mut Llext, u32), Refusal> {
    let bad_name = Error::BadExtensionName { found: name.len() as u32, expected: MAX_NAME as u32 };
    let name = core::str::from_utf8(name).map_err(|_| bad_name)?;
    if let Some(live) = registry().find(name) {
        return Ok(table::again(live)?);
    }
    if !param.relocate_local {
        return Err(Refusal::Because(-ENOTSUP, "without relocate_local nothing can be loaded"));
    }
    // SAFETY: the caller vouches for the loader.
    let source = unsafe { LoaderSource::new(loader) };
    match param.compression_type {
        // SAFETY: as above.
        NOT_COMPRESSED => unsafe { load_from(source, loader, name, param, None) },
        #[cfg(feature = "lz4")]
        crate::types::LZ4 => {
            let mut contents = crate::lz4::contents(source)?;
            let mut buffer = crate::types::BufLoader::of_contents(contents.bytes_mut());
            // SAFETY: as above; the contents stay, and are the extension's alone, for as long as it wants them.
            unsafe {
                let source = LoaderSource::new(NonNull::from(&mut buffer).cast());
                load_from(source, loader, name, param, Some(contents))
            }
        }
        _ => Err(Refusal::Because(-EINVAL, "files of this compression_type are not known here")),
    }
}

/// Loads the file of `source`, which are the `contents` of the loader's, if that was compressed.
///
/// # Safety
/// As for [`llext_load`].
unsafe fn load_from(
    mut source: LoaderSource,
    mut loader: NonNull<Loader>,
    name: &str,
    param: &LoadParam,
    contents: Option<Lease>,
) -> Result<(*mut Llext, u32), Refusal> {
    let hdr = source.elf_header()?;
    // SAFETY: the caller vouches for the loader; no operation runs here.
    unsafe { loader.as_mut() }.hdr = hdr;
    let file = source.bytes().map_or(0..0, |bytes| {
        let range = bytes.as_ptr_range();
        range.start.addr()..range.end.addr()
    });
    let mut inspection = if param.keep_section_info { Some(room(&mut source)?) } else { None };
    // SAFETY: as above.
    let handle = unsafe { link(name, param, &mut source, inspection.as_mut())? };
    if !handle.is_first() {
        return Ok(table::again(handle)?);
    }
    let inspection = inspection.filter(|lease| Inspection::new(lease.bytes()).is_some());
    let mut seen = seen(&handle, &file);
    let (exports, exp_tab) = exports(&handle)?;
    if let Some(found) = inspection.as_ref().and_then(|lease| Inspection::new(lease.bytes())) {
        // SAFETY: as above.
        inspected(&mut seen, &found, &mut unsafe { loader.as_mut() }.sects);
    }
    // Where nothing of it is in place, all was copied.
    let contents = contents.filter(|_| handle.regions().any(|region| file.contains(&region.address)));
    let leased = |lease: &Option<Lease>| lease.as_ref().map_or(0, |lease| lease.bytes().len());
    seen.alloc_size += leased(&exports) + leased(&inspection) + leased(&contents);
    seen.exp_tab = exp_tab;
    Ok((table::add(Loaded { handle, seen, exports, inspection, contents })?, 0))
}

/// Memory for whoever looks into the extension.
fn room(source: &mut LoaderSource) -> Result<Lease, Error> {
    let survey = source.survey(|_| ())?;
    let bytes = HEAD + u64::from(survey.count) * u64::from(size::<Native>()) + survey.kept;
    Lease::new(usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// # Safety
/// As for [`llext_load`].
unsafe fn link(
    name: &str,
    param: &LoadParam,
    source: &mut LoaderSource,
    inspection: Option<&mut Lease>,
) -> Result<Handle, Refusal> {
    let headers = match param.section_detached {
        // SAFETY: the callback is the caller's.
        Some(detached) => headers_if_any(source, |header| unsafe { detached(header) })?,
        None => None,
    };
    let mut stays = |index: u32, _: &[u8]| {
        let at = index as usize * size::<Native>() as usize;
        let header = headers.as_ref().and_then(|lease| lease.bytes().get(at..)).map(decode::<Native>);
        // SAFETY: the callback is the caller's.
        header
            .zip(param.section_detached)
            .is_some_and(|(header, detached)| unsafe { detached(&in_c(&header)) })
    };
    let mut missing = |symbol: &[u8]| log(-ENODATA, symbol, "undefined symbol");
    let everywhere = core::array::from_ref(&(0..usize::MAX));
    let mut loader = registry().loader(&Builtins).same_name_is_enough(true).search_live(true).bring_up(false);
    loader = loader.on_missing(&mut missing).on_leaving(table::ended).code_in_place(cfg!(target_os = "none"));
    loader = loader.export_globals(imports_all_globals());
    if thread_locals().is_some() {
        // Their table says how far from the thread pointer they lie.
        loader = loader.thread_local(0);
    }
    if let Some(lease) = inspection {
        loader = loader.inspection(lease.bytes_mut());
    }
    if headers.is_some() {
        loader = loader.detached(&mut stays);
    }
    if param.pre_located {
        // SAFETY: whoever says so vouches that the file lies where it was linked for.
        loader = unsafe { loader.pre_located(Places { in_place: everywhere, copied: &[] }) };
    }
    // SAFETY: the caller vouches for the extension.
    Ok(unsafe { loader.load(name, source) }?)
}

/// The section headers, if `wanted` wants any of them.
fn headers_if_any(
    source: &mut LoaderSource,
    wanted: impl Fn(&crate::types::ElfSection) -> bool,
) -> Result<Option<Lease>, Refusal> {
    use llext::Source;
    let mut any = false;
    let survey = source.survey(|header| any |= wanted(&in_c(header)))?;
    if !any {
        return Ok(None);
    }
    if !source.lasts() || source.bytes().is_none() {
        return Err(Refusal::Because(
            -ENOTSUP,
            "a section can stay only in a file whose bytes stay and can be peeked at",
        ));
    }
    let mut lease = Lease::new(survey.count as usize * size::<Native>() as usize)?;
    source.read_at(survey.headers, lease.bytes_mut())?;
    Ok(Some(lease))
}
