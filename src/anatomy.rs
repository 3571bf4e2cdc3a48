//! What a vendored model is made of: weight groups, the shards that hold them, and where in them each weight lies.

use std::fs::{self, File};
use std::path::PathBuf;

use crate::error::Error;
use crate::manifest::{Manifest, WeightGroup};
use crate::path::ModelPath;
use crate::vendored::{Tensor, Vendored};
use crate::verify;
use crate::weights::WeightSpec;

/// A weight group: weights that lie back to back in the concatenation of some shards.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// Paths among [`Vendored::files`], in the order of their bytes. One that is listed twice counts twice.
    pub shards: Vec<String>,
    /// In the order of their bytes.
    pub weights: Vec<Weight>,
}

/// A weight, and where it lies in its group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Weight {
    /// What it is.
    pub tensor: Tensor,
    /// The bytes of the group before it.
    pub offset: u64,
    /// In bytes, as they are stored.
    pub size: u64,
}

impl Vendored {
    /// The weight groups, in the order of the manifest.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`](crate::ErrorKind::Io) or [`ErrorKind::Manifest`](crate::ErrorKind::Manifest) where the model
    /// is gone or is of another format.
    pub fn groups(&self) -> Result<Vec<Group>, Error> {
        let text =
            fs::read(self.entry()).map_err(|error| Error::io("read", self.entry(), error))?;
        let name = ModelPath::parse(self.files()[0].path());
        let name = name.map_err(|why| Error::url(self.url(), &why.to_string()))?;
        let manifest =
            Manifest::parse(&text, &name).map_err(|error| Error::manifest(self.url(), error))?;
        manifest.groups.into_iter().map(|group| self.group(group)).collect()
    }

    fn group(&self, group: WeightGroup) -> Result<Group, Error> {
        let at = |path: &ModelPath| -> PathBuf { path.below(self.dir()) };
        let lengths = verify::lengths(&group, |path| File::open(at(path)));
        let first = group.shards.first().map_or_else(|| self.dir().to_owned(), at);
        let lengths = lengths.map_err(|error| Error::io("read", &first, error))?;
        let mut offset = 0;
        let weights = group.weights.into_iter().zip(lengths).map(|(spec, size)| {
            let weight = Weight { tensor: tensor(spec), offset, size };
            offset += size;
            weight
        });
        let weights = weights.collect();
        let shards = group.shards.iter().map(ModelPath::to_string).collect();
        Ok(Group { shards, weights })
    }
}

fn tensor(spec: WeightSpec) -> Tensor {
    let WeightSpec { name, shape, dtype, quantization, .. } = spec;
    Tensor { name, dtype, shape, quantization }
}
