//! All of a load but its end: the first byte chooses the memory, where the host lies and how the file is read. Nothing of
//! the file runs, nothing of it is left, and a second try ends as the first.

use std::mem::MaybeUninit;

use llext::export::{Exports, SymbolName};
use llext::loader::Footprint;
use llext::memory::{Linux, Memory, Pool};
use llext::source::ReadOnly;
use llext::{Error, NoopRawMutex, Registry};

/// For code, and for data.
const POOL: usize = 1 << 18;

/// Pretends to export the names whose hash is even. Nothing of it is ever called.
struct Pretender {
    base: usize,
}

impl Exports for Pretender {
    fn address(&self, name: &SymbolName<'_>) -> Option<usize> {
        (name.hash & 1 == 0).then_some(self.base + (name.hash as usize & 0xffff0))
    }

    fn provides(&self, soname: &[u8]) -> bool {
        soname.len() != 3
    }
}

pub(crate) fn run(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let near = run as fn(&[u8]) as usize & !0xf;
    let host = Pretender { base: if choice & 1 == 0 { near } else { 0x0800_0000 } };
    let is_lent = choice & 2 == 0;
    if choice & 4 == 0 {
        let (mut code, mut data) = (room(), room());
        let registry = Registry::new(Pool::new(&mut code, &mut data));
        twice(&registry, &host, is_lent, bytes);
        // SAFETY: the closure looks at the memory only.
        assert_eq!(unsafe { registry.with_memory(|pool| pool.in_use()) }, 0);
    } else {
        twice(&Registry::new(Linux::new()), &host, is_lent, bytes);
    }
}

fn room() -> Vec<MaybeUninit<u8>> {
    let mut room = Vec::with_capacity(POOL);
    room.resize(POOL, MaybeUninit::uninit());
    room
}

fn twice<M: Memory>(registry: &Registry<M, NoopRawMutex, 4>, host: &Pretender, is_lent: bool, bytes: &[u8]) {
    let first = told(verify(registry, host, is_lent, bytes));
    assert_eq!(registry.iter().count(), 0);
    assert_eq!(told(verify(registry, host, is_lent, bytes)), first);
}

fn verify<M: Memory>(
    registry: &Registry<M, NoopRawMutex, 4>,
    host: &Pretender,
    is_lent: bool,
    bytes: &[u8],
) -> Result<Footprint, Error> {
    let (mut missing, options) = (0, registry.loader(host));
    let mut hear = |_: &[u8]| missing += 1;
    let loader = options.on_missing(&mut hear).search_live(true);
    if is_lent { loader.verify("file", bytes) } else { loader.verify("file", ReadOnly(bytes)) }
}

/// What was answered, without addresses: those differ where memory is mapped.
fn told(answer: Result<Footprint, Error>) -> Result<[u32; 4], u16> {
    answer.map(|footprint| footprint.parts).map_err(|error| error.code())
}
