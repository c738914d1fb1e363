//! The structures as C sees them: `include/llext/` declares the same, and [`layout`](crate::layout) keeps both in step.

use core::ffi::{c_char, c_int, c_uint, c_void};
use core::ptr::null_mut;

/// How many regions there are: `LLEXT_MEM_COUNT`.
pub const REGIONS: usize = 13;
/// Room for a name and its NUL: `LLEXT_MAX_NAME_LEN` + 1.
pub const NAME: usize = llext::registry::MAX_NAME + 1;
/// How many dependencies a structure lists: `LLEXT_MAX_DEPENDENCIES`. More are counted.
pub const DEPENDENCIES: usize = 8;

/// `enum llext_mem`: what a merged group of sections holds.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    Text,
    Data,
    Rodata,
    Veneer,
    Bss,
    Export,
    Symtab,
    Strtab,
    Shstrtab,
    Preinit,
    Init,
    Fini,
    RodataNoReloc,
}

/// `struct llext_symbol`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Symbol {
    /// NUL-terminated.
    pub name: *const c_char,
    /// Where it lies.
    pub addr: *mut c_void,
}

/// `struct llext_symtable`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SymbolTable {
    /// How many symbols there are.
    pub sym_cnt: usize,
    /// The symbols, in ascending order of their names.
    pub syms: *mut Symbol,
}

impl SymbolTable {
    const EMPTY: Self = Self { sym_cnt: 0, syms: null_mut() };
}

/// `elf_ehdr_t`: the ELF header of this processor's class.
#[allow(missing_docs)]
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ElfHeader {
    pub e_ident: [u8; 16],
    pub e_type: u16,
    pub e_machine: u16,
    pub e_version: u32,
    pub e_entry: usize,
    pub e_phoff: usize,
    pub e_shoff: usize,
    pub e_flags: u32,
    pub e_ehsize: u16,
    pub e_phentsize: u16,
    pub e_phnum: u16,
    pub e_shentsize: u16,
    pub e_shnum: u16,
    pub e_shstrndx: u16,
}

/// `elf_shdr_t`: a section header of this processor's class.
#[allow(missing_docs)]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ElfSection {
    pub sh_name: u32,
    pub sh_type: u32,
    pub sh_flags: usize,
    pub sh_addr: usize,
    pub sh_offset: usize,
    pub sh_size: usize,
    pub sh_link: u32,
    pub sh_info: u32,
    pub sh_addralign: usize,
    pub sh_entsize: usize,
}

/// `struct llext`: what C reads of an extension. It is written by the library alone.
#[allow(missing_docs)]
#[repr(C)]
pub struct Llext {
    pub name: [c_char; NAME],
    pub mem: [*mut c_void; REGIONS],
    pub mem_size: [usize; REGIONS],
    pub mem_on_heap: [bool; REGIONS],
    pub alloc_size: usize,
    pub sym_tab: SymbolTable,
    pub exp_tab: SymbolTable,
    pub use_count: c_uint,
    pub dependency: [*mut Llext; DEPENDENCIES],
    pub sect_cnt: c_uint,
    pub sect_hdrs: *mut ElfSection,
    pub sect_hdrs_on_heap: bool,
    pub mmu_permissions_set: bool,
}

impl Llext {
    /// Nobody's.
    pub const EMPTY: Self = Self {
        name: [0; NAME],
        mem: [null_mut(); REGIONS],
        mem_size: [0; REGIONS],
        mem_on_heap: [false; REGIONS],
        alloc_size: 0,
        sym_tab: SymbolTable::EMPTY,
        exp_tab: SymbolTable::EMPTY,
        use_count: 0,
        dependency: [null_mut(); DEPENDENCIES],
        sect_cnt: 0,
        sect_hdrs: null_mut(),
        sect_hdrs_on_heap: false,
        mmu_permissions_set: false,
    };
}

/// `struct llext_load_param`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct LoadParam {
    /// Whether to link; there is no other way here.
    pub relocate_local: bool,
    /// Whether the file was linked for the addresses where it lies.
    pub pre_located: bool,
    /// Which sections stay in the file.
    pub section_detached: Option<unsafe extern "C" fn(*const ElfSection) -> bool>,
    /// Whether to keep what the inspecting functions want.
    pub keep_section_info: bool,
    /// `enum llext_compression_type`: how the file is compressed.
    pub compression_type: c_uint,
}

impl LoadParam {
    /// `LLEXT_LOAD_PARAM_DEFAULT`.
    pub const DEFAULT: Self = Self {
        relocate_local: true,
        pre_located: false,
        section_detached: None,
        keep_section_info: false,
        compression_type: NOT_COMPRESSED,
    };
}

/// `LLEXT_COMPRESSION_TYPE_NONE`.
pub const NOT_COMPRESSED: c_uint = 0;
/// `LLEXT_COMPRESSION_TYPE_LZ4`.
pub const LZ4: c_uint = 1;

/// `LLEXT_STORAGE_TEMPORARY`.
pub const TEMPORARY: c_uint = 0;
/// `LLEXT_STORAGE_PERSISTENT`.
pub const PERSISTENT: c_uint = 1;
/// `LLEXT_STORAGE_WRITABLE`.
pub const WRITABLE: c_uint = 2;

/// `struct llext_loader`: where a file comes from, by six operations.
#[repr(C)]
pub struct Loader {
    /// Called first, if there; a negative number ends the load.
    pub prepare: Option<unsafe extern "C" fn(*mut Loader) -> c_int>,
    /// Reads so many bytes from the current position: 0 or a negative number.
    pub read: Option<unsafe extern "C" fn(*mut Loader, *mut c_void, usize) -> c_int>,
    /// Changes the position: 0 or a negative number.
    pub seek: Option<unsafe extern "C" fn(*mut Loader, usize) -> c_int>,
    /// Where the byte at this offset lies in memory, or null.
    pub peek: Option<unsafe extern "C" fn(*mut Loader, usize) -> *mut c_void>,
    /// Called at the end of a load that was prepared.
    pub finalize: Option<unsafe extern "C" fn(*mut Loader)>,
    /// The file's size, bytes, if the loader knows it.
    pub get_size: Option<unsafe extern "C" fn(*mut Loader) -> usize>,
    /// `enum llext_storage_type`: how long the bytes stay, and who may change them.
    pub storage: c_uint,
    /// The file's header, from the beginning of a load.
    pub hdr: ElfHeader,
    /// The headers of the regions, after a load that kept them.
    pub sects: [ElfSection; REGIONS],
    /// Not used here.
    pub sect_map: *mut c_void,
}

/// `struct llext_buf_loader`.
#[repr(C)]
pub struct BufLoader {
    /// What every loader has.
    pub loader: Loader,
    /// The file.
    pub buf: *const u8,
    /// Its size, bytes.
    pub len: usize,
    /// The current position.
    pub pos: usize,
}

#[cfg(feature = "lz4")]
impl BufLoader {
    /// One of bytes in the heap, which become the extension where its code can run there.
    pub(crate) fn of_contents(bytes: &mut [u8]) -> Self {
        use crate::buffer::{llext_buf_get_size, llext_buf_peek, llext_buf_read, llext_buf_seek};
        let loader = Loader {
            prepare: None,
            read: Some(llext_buf_read),
            seek: Some(llext_buf_seek),
            peek: Some(llext_buf_peek),
            finalize: None,
            get_size: Some(llext_buf_get_size),
            storage: if crate::heap::runs_data() { WRITABLE } else { TEMPORARY },
            hdr: ElfHeader::default(),
            sects: [ElfSection::default(); REGIONS],
            sect_map: null_mut(),
        };
        Self { loader, buf: bytes.as_mut_ptr(), len: bytes.len(), pos: 0 }
    }
}

/// `struct llext_fs_loader`.
#[repr(C)]
pub struct FsLoader {
    /// What every loader has.
    pub loader: Loader,
    /// Whether `file` is open.
    pub is_open: bool,
    /// The path of the file.
    pub name: *const c_char,
    /// What the hook for opening gave.
    pub file: *mut c_void,
}

/// `struct llext_semihost_loader`.
#[repr(C)]
pub struct SemihostLoader {
    /// What every loader has.
    pub loader: Loader,
    /// The path of the file, as the computer knows it.
    pub filename: *const c_char,
    /// The computer's number for it while it is open, else -1.
    pub fd: c_int,
    /// How many bytes were read.
    pub total_bytes: usize,
    /// Its size, bytes.
    pub size: usize,
}

/// `struct llext_file_hooks`: how the fs loader reaches files.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FileHooks {
    /// Opens a file for reading: 0, and what the others are given, or a negative number.
    pub open: Option<unsafe extern "C" fn(path: *const c_char, file: *mut *mut c_void) -> c_int>,
    /// Reads at most so many bytes: how many, or a negative number.
    pub read: Option<unsafe extern "C" fn(file: *mut c_void, out: *mut c_void, len: usize) -> isize>,
    /// Goes to a position, bytes from the start: 0 or a negative number.
    pub seek: Option<unsafe extern "C" fn(file: *mut c_void, position: usize) -> c_int>,
    /// Closes the file.
    pub close: Option<unsafe extern "C" fn(file: *mut c_void)>,
}

/// The name of an extension or a symbol, as bytes; `None` for null.
///
/// # Safety
/// The pointer is null, or that of a NUL-terminated string that lives as long as is said here.
pub(crate) unsafe fn text<'a>(name: *const c_char) -> Option<&'a [u8]> {
    // SAFETY: the caller vouches for it.
    (!name.is_null()).then(|| unsafe { core::ffi::CStr::from_ptr(name) }.to_bytes())
}
