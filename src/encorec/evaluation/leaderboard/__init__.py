"""The KION competition: submissions made, checked and scored."""
