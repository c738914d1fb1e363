//! The ELF note that says for which ABI a file was built.

/// The version of what host and extension agree on: how exports, `llext_init`, `llext_fini` and the functions of the host that
/// this crate calls look. A host refuses a file with a newer one.
pub const ABI_VERSION: u32 = 1;

/// An ELF note of owner `llext`, type 1.
#[repr(C)]
struct Note {
    owner_size: u32,
    description_size: u32,
    kind: u32,
    owner: [u8; 8],
    description: u32,
}

#[used]
#[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".note.llext"))]
static NOTE: Note =
    Note { owner_size: 6, description_size: 4, kind: 1, owner: *b"llext\0\0\0", description: ABI_VERSION };
