"""Made-up users with a chosen history: what would systems show them, side by side?"""

from encorec.personas.answers import Comparison
from encorec.personas.comparison import compare_personas
from encorec.personas.persona import Persona, load_personas
from encorec.personas.systems import open_systems

__all__ = ["Comparison", "Persona", "compare_personas", "load_personas", "open_systems"]
