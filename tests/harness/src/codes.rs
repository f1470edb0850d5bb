//! Invite codes.

use shared::{
    domain::{
        ids::{InviteCodeId, OrganisationId, TeamId, UserId},
        invite_code::{Code, FoldedCode, InviteCode},
    },
    store::{CodeChange, CodeCreation, CodeDeletion},
};

use crate::Bench;

/// The code of the samples.
pub const CODE: &str = "SPRING-HACK-2026";

impl Bench {
    /// A code into the Default Organisation's default team, without quota and end, but for what `change` says.
    pub async fn invite_code(&self, text: &str, change: impl FnOnce(&mut InviteCode)) -> InviteCode {
        let now = self.now();
        let mut code = InviteCode {
            id: InviteCodeId::new(now, self.random.number()),
            code: Code::parse(text).unwrap(),
            team_id: TeamId::default_team(),
            organisation_id: OrganisationId::default_organisation(),
            quota: None,
            used: 0,
            expires_at: None,
            active: true,
            auto_approve: true,
            note: None,
            allowed_email_domains: Vec::new(),
            created_by: UserId::new(now, self.random.number()),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        change(&mut code);
        let created = self.store.create_invite_code(&code, &self.origin()).await.unwrap();
        assert_eq!(created, CodeCreation::Done);
        code
    }

    /// A code as the table now has it.
    pub async fn code(&self, text: &str) -> Option<InviteCode> {
        let nobody = UserId::new(self.now(), 0);
        self.store.caller_and_code(&nobody, FoldedCode::of(text).as_ref()).await.unwrap().1
    }

    /// Changes a code as an API Owner does, against whatever stands there then.
    pub fn change_code<F: FnOnce(&mut InviteCode) + Send + 'static>(
        &self,
        text: &str,
        change: F,
    ) -> impl Future<Output = ()> + Send + use<F> {
        let (store, origin, text) = (self.store.clone(), self.origin(), FoldedCode::of(text));
        async move {
            let nobody = UserId::new(origin.now, 0);
            let before = store.caller_and_code(&nobody, text.as_ref()).await.unwrap().1.unwrap();
            let mut after = before.clone();
            change(&mut after);
            let changed = store.change_invite_code(&before, &after, &origin).await.unwrap();
            assert!(matches!(changed, CodeChange::Done), "{changed:?}");
        }
    }

    /// Deletes a code as an API Owner does.
    pub fn delete_code(&self, code: &InviteCode) -> impl Future<Output = ()> + Send + use<> {
        let (store, origin, code) = (self.store.clone(), self.origin(), code.clone());
        async move {
            let deleted = store.delete_invite_code(&code, &origin).await.unwrap();
            assert!(matches!(deleted, CodeDeletion::Done), "{deleted:?}");
        }
    }

    /// Deletes a team's row and nothing else.
    pub fn erase_team(&self, id: &TeamId) -> impl Future<Output = ()> + Send + use<> {
        let delete = self
            .services
            .dynamodb()
            .delete_item()
            .table_name(self.services.portal_table())
            .key("pk", serde_dynamo::to_attribute_value(format!("TEAM#{id}")).unwrap())
            .key("sk", serde_dynamo::to_attribute_value("TEAM").unwrap());
        async move { drop(delete.send().await.unwrap()) }
    }

    /// Writes one attribute of a code's row, past every rule.
    pub fn overwrite_code(
        &self,
        text: &str,
        attribute: &str,
        value: &serde_json::Value,
    ) -> impl Future<Output = ()> + Send + use<> {
        let key = format!("CODE#{}", FoldedCode::of(text).unwrap().as_str());
        let update = self
            .services
            .dynamodb()
            .update_item()
            .table_name(self.services.portal_table())
            .key("pk", serde_dynamo::to_attribute_value(key).unwrap())
            .key("sk", serde_dynamo::to_attribute_value("CODE").unwrap())
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", serde_dynamo::to_attribute_value(value).unwrap());
        async move { drop(update.send().await.unwrap()) }
    }

    /// How many slots of a code are taken.
    pub async fn used(&self, text: &str) -> u64 {
        self.code(text).await.unwrap().used
    }
}
