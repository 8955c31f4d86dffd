import './style/main.css';
import './elements/app-shell.ts';
import { showTheme, storedTheme } from './theme.ts';

const theme = storedTheme();
if (theme) showTheme(theme);
