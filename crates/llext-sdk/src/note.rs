//! ELF notes: for which ABI a file was built, and what it needs.

/// The version of what host and extension agree on: how exports, `llext_init`, `llext_fini` and the functions of the host that
/// this crate calls look. A host refuses a file with a newer one.
pub const ABI_VERSION: u32 = 1;

/// An ELF note of owner `llext`: type 1 holds the ABI version, type 2 a name.
#[doc(hidden)]
#[repr(C)]
pub struct Note<T> {
    owner_size: u32,
    description_size: u32,
    kind: u32,
    owner: [u8; 8],
    description: T,
}

#[used]
#[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".note.llext"))]
static NOTE: Note<u32> =
    Note { owner_size: 6, description_size: 4, kind: 1, owner: *b"llext\0\0\0", description: ABI_VERSION };

impl<const SIZE: usize> Note<[u8; SIZE]> {
    /// A note that says that the extension called `name` is needed. `SIZE` is that of the padded description.
    pub const fn needs(name: &str) -> Self {
        let (name, mut description, mut at) = (name.as_bytes(), [0; SIZE], 0);
        assert!(!name.is_empty(), "the name of an extension is not empty");
        while at < name.len() {
            assert!(name[at] != 0, "the name of an extension contains no NUL");
            description[at] = name[at];
            at += 1;
        }
        let description_size = name.len() as u32 + 1;
        Self { owner_size: 6, description_size, kind: 2, owner: *b"llext\0\0\0", description }
    }
}

/// The size of a note's description that holds `name` and a NUL: whole words.
#[doc(hidden)]
pub const fn padded(name: &str) -> usize {
    (name.len() + 1).next_multiple_of(4)
}

/// Says that the extension of this name, or the file of this name, must be there before this one is loaded.
///
/// A loader that was told where to look loads it first; see `Loader::needed_from` and `Loader::on_needed` of `llext`. What it
/// exports can then be used here. It may stand anywhere, also in a crate that declares the other's functions.
///
/// ```
/// llext_sdk::needs!("math");
///
/// unsafe extern "C" {
///     safe fn multiply(a: i32, b: i32) -> i32;
/// }
/// # fn main() {}
/// ```
///
/// A name that no extension can have is refused:
///
/// ```compile_fail
/// llext_sdk::needs!("");
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! needs {
    ($name:expr) => {
        const _: () = {
            const NAME: &str = $name;
            #[used]
            #[cfg_attr(not(any(windows, target_vendor = "apple")), unsafe(link_section = ".note.llext"))]
            static NEEDED: $crate::Note<[u8; $crate::padded(NAME)]> = $crate::Note::needs(NAME);
        };
    };
}
