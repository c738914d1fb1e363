//! Where the symbols that a file lacks lie: near it, beyond every branch, or nowhere.

use std::collections::HashMap;

use llext_link::arch::{Arch, Check, Expr};

use super::target::{Target, Variant};
use super::view::{Symbol, View};

/// An address for every undefined symbol that somebody provides, and where the file itself goes.
pub(super) struct Externals {
    pub(super) base: u64,
    values: HashMap<String, u64>,
    /// The symbols that lie beyond every branch and are branched to.
    pub(super) far: Vec<usize>,
}

/// What the relocations against a symbol ask of its address.
#[derive(Clone, Copy, Default)]
struct Uses {
    branch: bool,
    /// Reaches any address: through the GOT, or with a whole word.
    anywhere: bool,
    /// Reaches only so far.
    limited: bool,
}

impl Externals {
    /// Chooses by the symbols' names alone, so that every run chooses alike. Where no linker makes stubs, what is
    /// branched to from afar may not be used in any other way: see [`super::theirs`].
    pub(super) fn choose(view: &View, target: &Target, variant: &Variant, makes_stubs: bool) -> Self {
        let (arch, places) = (variant.arch, &target.places);
        let uses = uses(view, arch);
        let mut low = shortens(view, arch);
        let mut externals = Self { base: 0, values: HashMap::new(), far: Vec::new() };
        for symbol in view.symbols.iter().filter(|symbol| symbol.undefined && !symbol.name.is_empty()) {
            let (uses, hash) = (uses[symbol.index], hash(&symbol.name));
            let is_nowhere = symbol.weak && hash & 0x10_0000 != 0;
            if is_nowhere {
                low |= uses.branch || uses.limited;
                continue;
            }
            let can_be_far = !uses.limited && (makes_stubs || !(uses.branch && uses.anywhere));
            let far = can_be_far && hash & 0x20_0000 != 0;
            if far && uses.branch {
                externals.far.push(symbol.index);
            }
            externals.values.insert(
                symbol.name.clone(),
                offset(symbol, uses, far.then_some(places.far), variant.code_bit(hash, makes_stubs), hash),
            );
        }
        externals.base = if low { places.low } else { places.high };
        for value in externals.values.values_mut().filter(|value| **value < NEAR) {
            *value += externals.base - NEAR;
        }
        externals.values.extend(NUMBERS.map(|(name, value)| (name.to_owned(), value)));
        externals
    }

    /// The address of a symbol.
    pub(super) fn find(&self, name: &str) -> Option<u64> {
        self.values.get(name).copied()
    }
}

/// What assembly by hand wants for narrow fields.
const NUMBERS: [(&str, u64); 2] = [("tiny", 0x4567), ("minus", -3i64 as u64)];

/// Near symbols lie this close below the file.
const NEAR: u64 = 0x1_0000;

/// A near symbol's distance from the start of its region, a far one's address. Aligned for every access.
fn offset(symbol: &Symbol, uses: Uses, far: Option<u64>, code_bit: u64, hash: u64) -> u64 {
    let at = hash % 0xf00 * 16;
    let mode = if uses.branch || symbol.name.contains("function") { code_bit } else { 0 };
    (far.unwrap_or(0) + at) | mode
}

fn uses(view: &View, arch: &Arch) -> Vec<Uses> {
    let mut uses = vec![Uses::default(); view.symbols.len()];
    for relocation in &view.relocations {
        let uses = &mut uses[relocation.symbol];
        match arch.howto(relocation.r_type).map(|howto| (howto.expr, howto.check)) {
            Some((Expr::Branch, _)) => uses.branch = true,
            Some((Expr::None, _)) => {}
            Some((expr, _)) if expr.needs_got() => uses.anywhere = true,
            Some((_, Check::None)) => uses.anywhere = true,
            _ => uses.limited = true,
        }
    }
    uses
}

/// Whether any absolute address must fit fewer bits than a word has.
fn shortens(view: &View, arch: &Arch) -> bool {
    let short = |r_type| {
        arch.howto(r_type).is_some_and(|howto| howto.expr == Expr::Abs && howto.check != Check::None)
    };
    view.wide && view.relocations.iter().any(|relocation| short(relocation.r_type))
}

/// FNV-1a, with its bits mixed once more.
pub(super) fn hash(name: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ hash >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}
