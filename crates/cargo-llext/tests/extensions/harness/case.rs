//! One load to try: a file of one variant from one kind of source; and how it is written down for a child process.

use std::path::PathBuf;

use super::build::Built;
use super::extension::Extension;
use super::kind::{NATIVE, Variant};

/// Where the loader takes the bytes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// A slice that is lent for the life of the load.
    Lent,
    /// A slice that may only be read from.
    ReadOnly,
    /// A file.
    File,
}

/// One load, with what is known about it.
#[derive(Clone)]
pub(crate) struct Case<'a> {
    pub(crate) extension: &'a Extension,
    pub(crate) variant: Variant,
    pub(crate) from: From,
    pub(crate) file: PathBuf,
    pub(crate) needs: Vec<PathBuf>,
}

impl From {
    pub(crate) const ALL: [Self; 3] = [Self::Lent, Self::ReadOnly, Self::File];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lent => "lent",
            Self::ReadOnly => "read-only",
            Self::File => "file",
        }
    }
}

impl<'a> Case<'a> {
    /// The cases of one built variant.
    pub(crate) fn of(
        extension: &'a Extension,
        variant: Variant,
        built: &Built,
    ) -> impl Iterator<Item = Self> {
        let (file, needs) = (built.file.clone(), built.needs.clone());
        From::ALL.into_iter().map(move |from| Self {
            extension,
            variant,
            from,
            file: file.clone(),
            needs: needs.clone(),
        })
    }

    /// One line, fields apart by tabs.
    pub(crate) fn write(&self) -> String {
        let paths = std::iter::once(&self.file).chain(&self.needs).map(|path| path.display().to_string());
        let head = [self.extension.name.clone(), self.variant.to_string(), self.from.name().to_owned()];
        head.into_iter().chain(paths).collect::<Vec<_>>().join("\t")
    }

    /// The case of such a line.
    pub(crate) fn read(line: &str, extensions: &'a [Extension]) -> Option<Self> {
        let mut fields = line.split('\t');
        let (name, variant, from) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            extension: extensions.iter().find(|extension| extension.name == name)?,
            variant: Variant::all(NATIVE).find(|candidate| candidate.to_string() == variant)?,
            from: From::ALL.into_iter().find(|candidate| candidate.name() == from)?,
            file: fields.next()?.into(),
            needs: fields.map(PathBuf::from).collect(),
        })
    }
}
