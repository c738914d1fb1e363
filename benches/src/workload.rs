//! The four workloads: C sources as this file writes them, compiled by gcc once and kept under target/.

use llext_bench::shape::Shape;
use object::{Endianness, Object, ObjectSection, SectionFlags};
use std::collections::hash_map::DefaultHasher;
use std::ffi::CString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Absolute 64-bit relocations everywhere: the object may lie any distance from its host.
const OBJECT_FLAGS: &str = "-c -O1 -ffreestanding -fno-pic -fno-asynchronous-unwind-tables -fno-unwind-tables \
                            -fno-stack-protector -fno-ident -DLLEXT -w -mcmodel=large -fcf-protection=none";
/// A GOT slot for each host function.
const SHARED_FLAGS: &str = "-shared -nostdlib -O1 -fPIC -fno-plt -fno-stack-protector -fcf-protection=none -w \
                            -Wl,-z,lazy -DLLEXT";

/// A workload as files and as bytes.
pub(crate) struct Workload {
    /// What it consists of.
    pub(crate) shape: Shape,
    /// The x86_64-large object.
    pub(crate) object: Binary,
    /// The same source as a shared object.
    pub(crate) shared: Binary,
    /// The names of its exports, `ext_main` last.
    pub(crate) exports: Vec<Name>,
}

/// A name in both forms that look-ups take.
pub(crate) struct Name {
    /// For Rust.
    pub(crate) text: String,
    /// For C.
    pub(crate) c_text: CString,
}

impl Name {
    fn new(text: String) -> Self {
        Self { c_text: CString::new(text.as_str()).expect("names have no NUL"), text }
    }
}

/// A compiled file.
pub(crate) struct Binary {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
    /// How many relocations a loader applies.
    pub(crate) relocations: usize,
    /// Bytes of the sections that stay in memory.
    pub(crate) loaded: usize,
}

impl Binary {
    fn read(path: PathBuf) -> Result<Self, String> {
        let bytes = fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let file = object::read::elf::ElfFile64::<Endianness>::parse(&*bytes)
            .map_err(|error| format!("cannot parse {}: {error}", path.display()))?;
        let allocated = file.sections().filter(is_allocated);
        let loaded = allocated.map(|section| section.size() as usize).sum();
        let in_sections: usize = file.sections().map(|section| section.relocations().count()).sum();
        let dynamic = file.dynamic_relocations().map_or(0, Iterator::count);
        Ok(Self { path, relocations: in_sections + dynamic, loaded, bytes })
    }
}

/// Whether a section stays in memory.
pub(crate) fn is_allocated<'data>(section: &impl ObjectSection<'data>) -> bool {
    matches!(section.flags(), SectionFlags::Elf { sh_flags, .. } if sh_flags.contains(object::elf::SHF_ALLOC))
}

impl Workload {
    /// Compiles the workload, or finds it compiled in `cache`.
    pub(crate) fn prepare(shape: Shape, cache: &Path) -> Result<Self, String> {
        let source = shape.source();
        Ok(Self {
            shape,
            object: compile(&source, OBJECT_FLAGS, &format!("{}.o", shape.file), cache)?,
            shared: compile(&source, SHARED_FLAGS, &format!("{}.so", shape.file), cache)?,
            exports: shape.exports().map(Name::new).collect(),
        })
    }
}

/// Compiles `source`, unless the cache holds what this compiler makes of it with these flags.
fn compile(source: &str, flags: &str, name: &str, cache: &Path) -> Result<Binary, String> {
    let folder = cache.join(format!("{:016x}", fingerprint(&[source, flags, &compiler_version()?])));
    let path = folder.join(name);
    if !path.exists() {
        eprintln!("compiling {name}");
        fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        compile_to(&path, source, flags)?;
    }
    Binary::read(path)
}

/// Compiles in a folder of this process's own, then renames: a run beside this one sees a whole file or none.
fn compile_to(path: &Path, source: &str, flags: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    let folder = path.with_extension(std::process::id().to_string());
    fs::create_dir_all(&folder).map_err(failed)?;
    let text = folder.join(path.with_extension("c").file_name().expect("a workload's path ends in its name"));
    let output = folder.join("output");
    fs::write(&text, source).map_err(failed)?;
    let status = Command::new("gcc")
        .args(flags.split_whitespace())
        .arg(&text)
        .arg("-o")
        .arg(&output)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run gcc: {error}"))?;
    if !status.success() {
        return Err(format!("gcc refused {}: {status}", text.display()));
    }
    fs::rename(&output, path).map_err(failed)?;
    fs::remove_dir_all(&folder).map_err(failed)
}

fn compiler_version() -> Result<String, String> {
    let output = Command::new("gcc")
        .arg("--version")
        .output()
        .map_err(|error| format!("gcc is needed to compile the workloads, and cannot be run: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn fingerprint(parts: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
