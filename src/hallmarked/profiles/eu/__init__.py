"""Forms for general-purpose models in the European Union, answered from evidence."""
