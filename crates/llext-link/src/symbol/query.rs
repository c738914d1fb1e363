//! What is asked of others: symbols by name, some at a time.

/// A question to the host: who provides this symbol?
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The symbol's name.
    pub name: &'a [u8],
    /// The name's GNU hash.
    pub hash: u32,
    /// Whether the file can do without it.
    pub weak: bool,
    /// Its [`slid`](super::slid()), in as many bits as an address has, or 0: an undefined symbol's `st_value`.
    #[cfg(feature = "slid")]
    pub slid: u64,
}

impl Query<'_> {
    const NONE: Self = Query {
        name: &[],
        hash: 0,
        weak: true,
        #[cfg(feature = "slid")]
        slid: 0,
    };
}

/// How many names are looked up at once: many where memory is far behind caches, one where it is not.
pub const BATCH: usize = if cfg!(target_pointer_width = "64") { 16 } else { 1 };

/// Symbols waiting to be looked up together.
pub(super) struct Waiting<'a> {
    pub(super) queries: [Query<'a>; BATCH],
    pub(super) symbols: [u32; BATCH],
    pub(super) len: usize,
}

impl<'a> Waiting<'a> {
    pub(super) const NONE: Self = Self { queries: [Query::NONE; BATCH], symbols: [0; BATCH], len: 0 };

    /// Adds one; whether the batch is full now.
    pub(super) fn push(&mut self, symbol: u32, query: Query<'a>) -> bool {
        if let (Some(kept), Some(index)) = (self.queries.get_mut(self.len), self.symbols.get_mut(self.len)) {
            (*kept, *index) = (query, symbol);
            self.len += 1;
        }
        self.len == BATCH
    }
}
