"""Every error with which a use says no: an entry translates these, and knows no room below."""

from service.access.gate import NotAuthenticated as NotAuthenticated
from service.access.gate import NotForPayer as NotForPayer
from service.access.scopes import RolesRefused as RolesRefused
from service.access.subject import BadPart as BadPart
from service.access.subject import NotPermitted as NotPermitted
from service.application.authorizations import NotTaken as NotTaken
from service.application.corrections import BadCorrection as BadCorrection
from service.application.intake import NotFound as NotFound
from service.application.parts import NotConfigured as NotConfigured
from service.application.worklist import NotOffered as NotOffered
from service.application.worklist import Stale as Stale
from service.domain.engine_fault import EngineFault as EngineFault
from service.flow.adjudicating.adjudicate import Conflict as Conflict
from service.flow.adjudicating.choosing import BadSelection as BadSelection
from service.flow.adjudicating.claim_life import BadChange as BadChange
from service.flow.adjudicating.claim_life import UnknownClaim as UnknownClaim
from service.flow.matching.why_not import NoSuchLine as NoSuchLine
from service.querying.problem import TemplatesRefused as TemplatesRefused
from service.requirement.faults import TableFault as TableFault
from service.rules.book import StoredReferencesDiffer as StoredReferencesDiffer
from service.stores.connection.durability import NotDurable as NotDurable
from service.stores.connection.faults import EngineRefused as EngineRefused
from service.stores.connection.reading import BadCursor as BadCursor
from service.stores.intake.dead_letters import LetterConflict as LetterConflict
from service.stores.ledger.rebuilding import NotEmpty as NotEmpty
from service.stores.members.merge import MergeRefused as MergeRefused
