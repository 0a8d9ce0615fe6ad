from encorec.config import load_toml as load_toml
from encorec.data.dataset import Dataset as Dataset
from encorec.data.interactions import Interactions as Interactions
from encorec.data.sources import load as load
from encorec.data.sources import load_frame as load_frame
from encorec.data.splits import LastN as LastN
from encorec.data.splits import RollingTime as RollingTime
from encorec.data.splits import TimeCut as TimeCut
from encorec.evaluation.evaluate import evaluate as evaluate
from encorec.evaluation.uncertainty import compare as compare
from encorec.pipeline.engine import Engine as Engine
from encorec.pipeline.engine import load_engine as load_engine
from encorec.pipeline.requests import PastEvent as PastEvent
from encorec.pipeline.requests import Request as Request
from encorec.pipeline.two_stage import TwoStage as TwoStage
from encorec.types import Candidates as Candidates
from encorec.types import Eligibility as Eligibility
from encorec.types import Histories as Histories
from encorec.types import Queries as Queries
from encorec.types import Slate as Slate
from encorec.workflow import RunConfig as RunConfig
from encorec.workflow import examine as examine
from encorec.workflow import train as train

__version__: str
