//! What lives in an extension's own data: everything the run time knows about it.

use super::{ExportView, ExtensionExports};
use crate::error::Name;
use crate::lifecycle::{Context, Lifecycle};
use crate::lock::RawMutex;
use crate::memory::Memory;
use core::fmt;
use core::ptr::NonNull;
#[cfg(feature = "reset")]
use llext_link::addr::Extent;
use llext_link::addr::Part;
#[cfg(feature = "reset")]
use llext_link::elf::{dynamic::Dynamic, segment::Span};

/// A live extension: what a [`Handle`](super::Handle) and a [`Guard`](super::Guard) lead to.
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let extension: &llext::registry::Extension<_, _, 4> = &blinky;
/// assert_eq!(extension.name(), blinky.name());
/// # Ok(()) }
/// ```
pub struct Extension<M: Memory, R: RawMutex, const N: usize> {
    pub(crate) block: M::Block,
    /// The address of each part: in the block, or where a file lies that was linked for fixed addresses.
    pub(crate) addresses: [usize; 4],
    pub(crate) sizes: [u32; 4],
    /// What of its file is used in place: where it begins, and how many bytes it spans. Then it has no image.
    pub(crate) in_place: (usize, usize),
    /// The variables as they were linked, if a copy was kept.
    #[cfg(feature = "reset")]
    pub(crate) initial: Option<Initial>,
    /// What another instance is made of, if that was kept.
    #[cfg(feature = "reset")]
    pub(crate) template: Option<NonNull<Template>>,
    pub(crate) exports: ExportView,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) context: NonNull<Context<R>>,
    /// Which slots this one depends on.
    pub(crate) providers: [bool; N],
    /// `DT_SONAME`, in the image.
    pub(crate) soname: Option<(usize, usize)>,
}

/// Where a copy of an extension's variables lies, and what it is a copy of: offsets and sizes in bytes.
#[cfg(feature = "reset")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Initial {
    /// The copy, in the constants.
    pub(crate) kept: u32,
    /// The variables with initial values, in the data.
    pub(crate) variables: Extent,
    /// Where the others end, which follow and begin as zero.
    pub(crate) end: u32,
}

/// What another instance of a shared object is made of, but for its bytes. It lies beside the record.
#[cfg(feature = "reset")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template {
    pub(crate) span: Span,
    pub(crate) dynamic: Dynamic,
    /// Where its `.exported_sym` was linked, and its size, if that lists the exports.
    pub(crate) exported: Option<(u64, u64)>,
    /// Where the host's thread-local block lies, from the thread pointer.
    pub(crate) thread_local: Option<isize>,
    /// Where in the constants its segments begin, and behind them what may be written, as it was before relocation.
    pub(crate) kept: u32,
}

/// A part of a live extension.
///
/// ```
/// # use llext::{Error, Handle, NoopRawMutex, Pool};
/// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
/// let bytes: usize = blinky.regions().map(|region| region.size).sum();
/// # let _ = bytes;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Which part.
    pub part: Part,
    /// Its run address.
    pub address: usize,
    /// Its size, bytes.
    pub size: usize,
}

/// What of an extension lies at an address: see [`Registry::locate`](super::Registry::locate).
///
/// ```
/// # use llext::{NoopRawMutex, Pool, Registry};
/// # fn f(apps: &Registry<Pool<'_>, NoopRawMutex, 4>, address: usize) {
/// if let Some(place) = apps.locate(address) {
///     let (extension, part) = (place.extension, place.part); // blinky, Code
///     let (offset, symbol) = (place.offset, place.symbol); // 0x40, 8 bytes behind `toggle`
///     # let _ = (extension, part, offset, symbol);
/// }
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub extension: Name,
    /// The part that holds the address.
    pub part: Part,
    /// How far into the part that is, bytes.
    pub offset: usize,
    /// The nearest export before it in that part, and how far behind its beginning the address lies, bytes.
    pub symbol: Option<(Name, usize)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { extension, part, offset, symbol } = self;
        match symbol {
            Some((name, offset)) => write!(f, "{extension}: {name}+{offset:#x} ({part})"),
            None => write!(f, "{extension}: {part}+{offset:#x}"),
        }
    }
}

impl<M: Memory, R: RawMutex, const N: usize> Extension<M, R, N> {
    pub(crate) fn context(&self) -> &Context<R> {
        // SAFETY: the loader wrote the context beside the record, and it goes with it.
        unsafe { self.context.as_ref() }
    }

    /// The extension's name.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// assert_eq!(blinky.name().as_bytes(), b"blinky");
    /// # Ok(()) }
    /// ```
    pub fn name(&self) -> Name {
        self.context().name
    }

    /// What the extension exports: names, without a NUL, and addresses.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// for (name, address) in blinky.exports() {
    ///     let _ = (name, address);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn exports(&self) -> ExtensionExports<'_> {
        ExtensionExports::new(&self.exports)
    }

    /// The name of the export with this [`slid`](crate::export::slid): so that a host need not hold the names of what it
    /// calls. Names are digested one after the other until it is found.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// use llext::export::slid;
    ///
    /// const START: usize = slid(b"start"); // a number in flash, and no name
    /// let start = blinky.name_of_slid(START).ok_or(Error::Died)?;
    /// // SAFETY: `start` has this type.
    /// unsafe { blinky.symbol::<extern "C" fn()>(start)? }.call(());
    /// # Ok(()) }
    /// ```
    #[cfg(feature = "slid")]
    pub fn name_of_slid(&self, slid: usize) -> Option<&str> {
        let mut names = self.exports().filter_map(|(name, _)| core::str::from_utf8(name).ok());
        names.find(|name| crate::export::slid(name.as_bytes()) == slid)
    }

    /// Where the extension lies in memory: the parts that hold something. What is used in place spans one
    /// [`Part::Image`], from the first to the last of these sections; other extensions of the same file may share it.
    ///
    /// ```
    /// # use llext::{Error, Handle, NoopRawMutex, Pool};
    /// # fn f(blinky: Handle<'_, Pool<'_>, NoopRawMutex, 4>) -> Result<(), Error> {
    /// use llext::memory::Part;
    /// let code = blinky.regions().find(|region| region.part == Part::Code);
    /// # let _ = code;
    /// # Ok(()) }
    /// ```
    pub fn regions(&self) -> impl Iterator<Item = Region> {
        let parts = Part::ALL.into_iter().zip(self.parts());
        let regions = parts.map(|(part, (address, size))| Region { part, address, size });
        regions.filter(|region| region.size > 0)
    }

    /// The address and size of every part.
    pub(super) fn parts(&self) -> [(usize, usize); 4] {
        let [a, b, c, d] = self.addresses;
        let [p, q, r, s] = self.sizes.map(|size| size as usize);
        let image = if self.in_place.1 > 0 { self.in_place } else { (a, p) };
        [image, (b, q), (c, r), (d, s)]
    }

    /// Whether its code or data lies at `address`.
    pub(super) fn holds(&self, address: usize) -> bool {
        self.parts().iter().any(|(start, size)| address.wrapping_sub(*start) < *size)
    }

    /// What of it lies at `address`.
    pub(super) fn place_of(&self, address: usize) -> Option<Place> {
        let within = |region: &Region| address.wrapping_sub(region.address) < region.size;
        let Region { part, address: start, .. } = self.regions().find(within)?;
        let symbol = self.exports.nearest(start, address);
        let symbol = symbol.map(|(name, at)| (Name::new(name), address - at));
        Some(Place { extension: self.name(), part, offset: address - start, symbol })
    }

    /// Gives all variables their initial values.
    ///
    /// # Safety
    /// Nobody uses a variable of the extension meanwhile.
    #[cfg(feature = "reset")]
    pub(crate) unsafe fn write_initial(&self, Initial { kept, variables, end }: Initial) {
        let [_, _, constants, data] = self.addresses;
        let (from, to) = ((constants + kept as usize) as *const u8, data + variables.offset as usize);
        let (size, rest) = (variables.size as usize, u64::from(end).saturating_sub(variables.end()) as usize);
        // SAFETY: the load laid both out in this image, the record before the variables; the data is writable, the rest
        // is the caller's.
        unsafe {
            (to as *mut u8).copy_from_nonoverlapping(from, size);
            ((to + size) as *mut u8).write_bytes(0, rest);
        }
    }

    /// What another instance is made of.
    #[cfg(feature = "reset")]
    pub(crate) fn template(&self) -> Option<Template> {
        // SAFETY: the loader wrote it beside the record, and it goes with it.
        self.template.map(|template| unsafe { *template.as_ref() })
    }

    pub(super) fn depends_on(&self, slot: usize) -> bool {
        self.providers.get(slot) == Some(&true)
    }

    pub(super) fn is_called(&self, soname: &[u8]) -> bool {
        self.soname.is_some_and(|(start, len)| {
            // SAFETY: the loader found the name in the image, which is sealed and lives as long as this record.
            soname == unsafe { core::slice::from_raw_parts(start as *const u8, len) }
        })
    }
}
