//! Carrying out what was asked of route configs.

use ebbtide_core::name::RouteConfigName;

use super::{DeclaredRoutes, commit, gone, remarks, take_away};
use crate::api::model::ApplyResult;
use crate::control::commands::brought_back;
use crate::control::handle::{ControlError, Origin};
use crate::control::task::ControlTask;

impl ControlTask {
    /// Puts route configs in force, and takes those away that came from files and are in none any more.
    pub(in crate::control) fn commit_routes(
        &mut self,
        declared: Vec<DeclaredRoutes>,
        origin: Origin,
    ) -> Vec<ApplyResult> {
        let gone = match origin {
            Origin::Files => gone(&self.routes, &declared),
            Origin::Api => Vec::new(),
        };
        let gone = gone.iter();
        let mut results: Vec<ApplyResult> = gone
            .filter_map(|name| take_away(&mut self.routes, name))
            .map(|(_, result)| result)
            .collect();
        for one in declared {
            let mut result = commit(&mut self.routes, one, origin);
            let mut configs = self.routes.values().map(|one| one.routes.config());
            let config = configs.find(|config| config.name.as_str() == result.app);
            let remarks = config.map(|config| remarks(config, &self.apps));
            result.warnings.extend(remarks.into_iter().flatten());
            results.push(result);
        }
        for result in &results {
            for change in &result.changes {
                self.events
                    .app(&result.app, "RoutesChanged", change.clone());
            }
        }
        results
    }

    /// Takes a config away.
    pub(in crate::control) fn delete_routes(
        &mut self,
        name: &str,
    ) -> Result<ApplyResult, ControlError> {
        let missing = || ControlError::NotFound(format!("there is no route config {name}"));
        let parsed = RouteConfigName::new(name).map_err(|_| missing())?;
        let taken = take_away(&mut self.routes, &parsed);
        let (source, mut result) = taken.ok_or_else(missing)?;
        for change in &result.changes {
            self.events.app(name, "RoutesChanged", change.clone());
        }
        result.changes.extend(brought_back(&source));
        Ok(result)
    }
}
