"""home (in the making)."""

import streamlit as st

st.title("home")
