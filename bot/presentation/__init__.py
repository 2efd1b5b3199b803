"""Results and errors become documents, documents become messages."""

from bot.presentation.message import Message, edit_content, image_content
from bot.presentation.render import Answer, Problem, Renderer
from bot.presentation.world import Names

__all__ = ["Answer", "Message", "Names", "Problem", "Renderer", "edit_content", "image_content"]
