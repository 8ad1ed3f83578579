//! What models have said of themselves, so that each is asked once.

use std::rc::Rc;

use super::Metadata;

/// The metadata of a few models, each at a few servers.
#[derive(Debug, Default)]
pub struct Known(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    address: String,
    model: String,
    metadata: Rc<Metadata>,
}

impl Known {
    /// What `model` at `address` has said.
    pub fn get(&self, address: &str, model: &str) -> Option<Rc<Metadata>> {
        let entry = self.0.iter().find(|entry| entry.is(address, model))?;
        Some(Rc::clone(&entry.metadata))
    }

    /// `model` at `address` says this.
    pub fn learn(&mut self, address: &str, model: &str, metadata: &Rc<Metadata>) {
        self.forget(address, model);
        let (address, model) = (address.to_owned(), model.to_owned());
        self.0.push(Entry { address, model, metadata: Rc::clone(metadata) });
    }

    /// It may have changed.
    pub fn forget(&mut self, address: &str, model: &str) {
        self.0.retain(|entry| !entry.is(address, model));
    }
}

impl Entry {
    fn is(&self, address: &str, model: &str) -> bool {
        self.address == address && self.model == model
    }
}
